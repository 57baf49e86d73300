import assert from 'node:assert/strict';
import type { Engine, InputSpec, Program, TensorSpec } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';

/** Numbers between -1 and 1, the same every time. */
export function numbers(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

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
