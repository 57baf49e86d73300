import type { Engine, InputArray, Program } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import { tf } from '../../shared/networks/tensors.js';
import type { Output } from '../../shared/outputs/output.js';

/** Variables [B,C,H,W] of an output, and what the network gave for them [B,numOutputs,H,W]. */
export interface Scored {
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
  readonly outputs: Float32Array;
  readonly x: Int32Array;
  readonly weight: Float32Array;
  /** Of each example; all 0 where absent. */
  readonly stages?: Int32Array;
}

/**
 * The log-likelihood of each variable [B,C,H,W], and the gradient of their weighted sum with respect to the outputs, by an engine. As the sum is
 * linear in the weights, its gradient with respect to them is the former.
 */
export async function likelihoodOf(
  engine: Engine,
  output: Output,
  { shape, outputs, x, weight, stages }: Scored,
): Promise<{ readonly logProbabilities: Float32Array; readonly gradients: Float32Array }> {
  const [batch, , height, width] = shape;
  const program: Program = {
    name: 'likelihood',
    parameters: [
      { name: 'outputs', shape: [batch, output.numOutputs, height, width] },
      { name: 'scored', shape },
    ],
    inputs: [
      ...output.variableInputs.map(({ name, dtype }) => ({ name, dtype, shape })),
      ...output.exampleInputs(batch),
    ],
    outputs: [{ name: 'sum', shape: [] }],
    gradientOf: 'sum',
    build: (ops, [given, scored], inputs) => ({
      sum: tf.sum(output.logLikelihood(ops, given!, { ...inputs, scored: scored! })),
    }),
  };
  const arrays: Record<string, InputArray> = Object.fromEntries(
    program.inputs.map(({ name, dtype, shape: of }) => [
      name,
      dtype === 'float32' ? new Float32Array(sizeOf(of)) : new Int32Array(sizeOf(of)),
    ]),
  );
  const stageOf = (row: number) => stages?.[row] ?? 0;
  for (const { name, valueOf } of output.variableInputs)
    x.forEach((value, i) => (arrays[name]![i] = valueOf(value, stageOf(Math.floor((i * batch) / x.length)))));
  for (let row = 0; row < batch; row++) output.setExample(arrays, row, stageOf(row));
  const gradients = new Float32Array(outputs.length + weight.length);
  const executable = await engine.compile(program);
  await executable.run({
    parameters: Float32Array.from([...outputs, ...weight]),
    inputs: arrays,
    outputs: { sum: new Float32Array(1) },
    gradients,
  });
  await executable.dispose();
  return {
    logProbabilities: gradients.subarray(outputs.length),
    gradients: gradients.subarray(0, outputs.length),
  };
}
