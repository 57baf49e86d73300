import type { Ops } from '../networks/ops.js';
import { tf, type Tensor } from '../networks/tensors.js';
import { EngineError, type Call, type Program } from './engine.js';

/** Number of scalars in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** What a program computes, as tensors of the active tfjs backend. */
export interface Results {
  /** In the order of `Program.outputs`. */
  readonly outputs: readonly Tensor[];
  /** In the order of `Program.parameters`, undefined where the value doesn't depend on one; empty when forward only. */
  readonly gradients: readonly (Tensor | undefined)[];
}

/**
 * Runs or records a program with tfjs, and its gradients by tfjs's autodiff. Call it inside `tf.tidy`.
 *
 * Throws EngineError where the program doesn't return the outputs it declared.
 */
export function evaluate(
  program: Program,
  ops: Ops,
  parameters: readonly Tensor[],
  inputs: Readonly<Record<string, Tensor>>,
): Results {
  const build = (tensors: readonly Tensor[]) => {
    const named = program.build(ops, tensors, inputs);
    return program.outputs.map((spec) => checkOutput(program, spec, named[spec.name]));
  };
  if (program.gradientOf === undefined) return { outputs: build(parameters), gradients: [] };

  const wanted = program.outputs.findIndex(({ name }) => name === program.gradientOf);
  if (wanted < 0)
    throw new EngineError(`${program.name}: gradientOf is ${program.gradientOf}, which is no output.`);
  let outputs: Tensor[] = [];
  const differentiated = tf.engine().gradients(
    () => {
      outputs = build(parameters).map((output) => tf.keep(output));
      return outputs[wanted]!;
    },
    [...parameters],
    undefined,
    true,
  );
  const gradients = differentiated.grads.map((gradient: Tensor | null) => gradient ?? undefined);
  return { outputs, gradients };
}

function checkOutput(program: Program, spec: Program['outputs'][number], tensor?: Tensor): Tensor {
  const found = tensor && `${tensor.dtype} [${tensor.shape}]`;
  if (!tensor || found !== `float32 [${spec.shape}]`)
    throw new EngineError(
      `${program.name}: output ${spec.name} should be float32 [${spec.shape}], but build gave ${found ?? 'none'}.`,
    );
  return tensor;
}

/** Throws EngineError naming the array of the call that has the wrong type or length. */
export function checkCall(program: Program, call: Call): void {
  const check = (name: string, array: ArrayLike<number> | undefined, type: string, length: number) => {
    if (array?.constructor.name !== type || array.length !== length)
      throw new EngineError(
        `${program.name}: ${name} should be a ${type} of ${length}, but is ${array ? `a ${array.constructor.name} of ${array.length}` : 'missing'}.`,
      );
  };
  const numParameters = program.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  check('parameters', call.parameters, 'Float32Array', numParameters);
  for (const { name, dtype, shape } of program.inputs)
    check(`input ${name}`, call.inputs[name], ARRAYS[dtype], sizeOf(shape));
  for (const { name, shape } of program.outputs)
    check(`output ${name}`, call.outputs[name], 'Float32Array', sizeOf(shape));
  if (program.gradientOf !== undefined) check('gradients', call.gradients, 'Float32Array', numParameters);
}

const ARRAYS = { float32: 'Float32Array', int32: 'Int32Array', uint8: 'Uint8Array' } as const;

/** Where each tensor lies in a flat array, in order. */
export function offsetsOf(specs: readonly { readonly shape: readonly number[] }[]): number[] {
  let next = 0;
  return specs.map(({ shape }) => {
    const offset = next;
    next += sizeOf(shape);
    return offset;
  });
}
