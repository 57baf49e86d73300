import { EngineError, type Call, type Engine, type Program } from './engine.js';
import { offsetsOf, sizeOf } from './program.js';
import { createReferenceEngine } from './reference.js';
import { tinyUnet } from './tiny-unet.js';

/** What an engine showed in its self-test. */
export interface Proof {
  /** Largest difference from the reference, relative. */
  readonly difference: number;
  /** Time of the training step, once compiled and run before. */
  readonly milliseconds: number;
  /** The same call gave the same bytes twice. */
  readonly repeatable: boolean;
}

/** Above what float32 in another order of summation costs, below what TF32 and half precision do. */
const TOLERANCE = 2e-4;

/**
 * One small training step, twice, with every output and gradient checked against the reference.
 *
 * Throws EngineError where the engine can't run it or computes other numbers.
 */
export async function proveEngine(engine: Engine): Promise<Proof> {
  const { program, call } = tinyUnet({ multipliers: [1, 2], dropout: 0.25 });
  const [expected, first, second] = [call(), call(), call()];
  const reference = await createReferenceEngine().compile(program);
  await reference.run(expected);
  const executable = await engine.compile(program);
  await executable.run(first);
  const started = performance.now();
  await executable.run(second);
  const milliseconds = performance.now() - started;
  await executable.dispose();

  const { tensor, difference } = worstDifference(program, first, expected);
  if (!(difference <= TOLERANCE))
    throw new EngineError(
      `${engine.description}: a small training step gives wrong numbers: ${tensor} is off by ${difference.toExponential(1)} of its largest value.`,
    );
  return { difference, milliseconds, repeatable: sameBytes(first, second) };
}

/**
 * The output or gradient that is furthest off, and by how much of its largest value. Of gradients that vanish, such as
 * that of the key's bias, one hundredth of the largest of all gradients counts as the largest value.
 */
export function worstDifference(
  program: Program,
  actual: Call,
  expected: Call,
): { tensor: string; difference: number } {
  const floor = actual.gradients ? largest(expected.gradients!) / 100 : 0;
  const tensors = program.outputs.map(({ name }) => ({
    tensor: name,
    difference: relative(actual.outputs[name]!, expected.outputs[name]!, 0),
  }));
  offsetsOf(program.parameters).forEach((from, i) => {
    const { name, shape } = program.parameters[i]!;
    const [a, e] = [actual, expected].map(({ gradients }) => gradients?.subarray(from, from + sizeOf(shape)));
    if (a && e) tensors.push({ tensor: `gradient of ${name}`, difference: relative(a, e, floor) });
  });
  return tensors.reduce((worst, each) =>
    each.difference > worst.difference || Number.isNaN(each.difference) ? each : worst,
  );
}

function relative(actual: Float32Array, expected: Float32Array, floor: number): number {
  return largest(expected.map((value, i) => value - actual[i]!)) / Math.max(largest(expected), floor);
}

/** The largest magnitude; NaN where there is one. */
function largest(values: Float32Array): number {
  return values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

function sameBytes(one: Call, other: Call): boolean {
  const arrays = ({ outputs, gradients }: Call) => [...Object.values(outputs), gradients!];
  return arrays(one).every((array, i) =>
    Buffer.from(array.buffer).equals(Buffer.from(arrays(other)[i]!.buffer)),
  );
}
