import assert from 'node:assert/strict';
import type { Engine, InputSpec, Program, TensorSpec } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import { worstDifference } from '../../shared/engine/proof.js';
import { numbers, type TinyUnet } from '../../shared/engine/tiny-unet.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';

export interface Case {
  readonly name: string;
  /** Tensors whose gradients are compared. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  /** Integers below a limit. */
  readonly integers?: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly below: number; readonly dtype?: 'uint8' }>
  >;
  readonly output: readonly number[];
  build(ops: Ops, parameters: Record<string, Tensor>, integers: Record<string, Tensor>): Tensor;
}

/** The sum of the case's output, weighted at random, so that every gradient carries signal. */
function programOf({ name, parameters, integers = {}, output, build }: Case): Program {
  const specs: TensorSpec[] = Object.entries(parameters).map(([of, shape]) => ({ name: of, shape }));
  const inputs = Object.entries(integers).map(([of, { shape, dtype }]): InputSpec => ({
    name: of,
    shape,
    dtype: dtype ?? 'int32',
  }));
  return {
    name,
    parameters: specs,
    inputs: [...inputs, { name: 'weights', shape: output, dtype: 'float32' }],
    outputs: [
      { name: 'y', shape: output },
      { name: 'loss', shape: [] },
    ],
    gradientOf: 'loss',
    build(ops, tensors, given) {
      const named = Object.fromEntries(specs.map((spec, i) => [spec.name, tensors[i]!]));
      const y = build(ops, named, given);
      return { y, loss: tf.sum(tf.mul(y, given.weights!)) };
    },
  };
}

/** Value and every gradient of a case on both engines, compared by largest difference over largest value. */
export async function compareEngines(engine: Engine, reference: Engine, given: Case): Promise<void> {
  const program = programOf(given);
  const numParameters = program.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const inputs = Object.fromEntries(
    program.inputs.map(({ name, shape, dtype }, i) => {
      const floats = numbers(sizeOf(shape), 100 + i);
      const below = given.integers?.[name]?.below ?? 0;
      const integer = (value: number) => Math.floor(((value + 1) / 2) * below);
      if (dtype === 'float32') return [name, floats];
      return [name, dtype === 'uint8' ? Uint8Array.from(floats, integer) : Int32Array.from(floats, integer)];
    }),
  );
  const results = [];
  for (const each of [reference, engine]) {
    const outputs = { y: new Float32Array(sizeOf(given.output)), loss: new Float32Array(1) };
    const gradients = new Float32Array(numParameters).fill(NaN);
    const executable = await each.compile(program);
    await executable.run({ parameters: numbers(numParameters, 7), inputs, outputs, gradients });
    await executable.dispose();
    results.push({ ...outputs, gradients });
  }
  const [expected, actual] = results as [(typeof results)[0], (typeof results)[0]];
  assertClose(`${given.name}: y`, actual.y, expected.y);
  let offset = 0;
  for (const { name, shape } of program.parameters) {
    const end = offset + sizeOf(shape);
    const [a, e] = [actual, expected].map(({ gradients }) => gradients.subarray(offset, end));
    assertClose(`${given.name}: gradient of ${name}`, a!, e!);
    offset = end;
  }
}

function assertClose(what: string, actual: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  assert.ok(largest > 0, `${what} carries no signal`);
  const difference = expected.reduce((max, value, i) => {
    const each = Math.abs(value - actual[i]!);
    return each <= max ? max : each;
  }, 0);
  assert.ok(difference <= 5e-5 * largest, `${what}: off by ${difference} of ${largest}`);
}

/** One training step on both engines: likelihoods within 1e-5, gradients within 1e-4 of a tensor's largest value. */
export async function assertTrainsAlike(
  engine: Engine,
  reference: Engine,
  { program, call }: TinyUnet,
): Promise<void> {
  const [expected, actual] = [call(), call()];
  for (const [each, made] of [
    [reference, expected],
    [engine, actual],
  ] as const) {
    const executable = await each.compile(program);
    await executable.run(made);
    await executable.dispose();
  }
  expected.outputs.logLikelihood!.forEach((value, i) =>
    assert.ok(Math.abs(value - actual.outputs.logLikelihood![i]!) <= 1e-5 * Math.abs(value)),
  );
  const { tensor, difference } = worstDifference(program, actual, expected);
  assert.ok(difference <= 1e-4, `${tensor} is off by ${difference} of its largest value`);
}
