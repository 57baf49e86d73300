import type { Ops } from '../networks/ops.js';
import type { Tensor } from '../networks/tensors.js';

export type InputType = 'float32' | 'int32' | 'uint8';
export type InputArray = Float32Array | Int32Array | Uint8Array;

export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface InputSpec extends TensorSpec {
  readonly dtype: InputType;
}

/** A fixed-shape computation over parameters and inputs, written in tfjs ops and `Ops`, for any engine to run. */
export interface Program {
  /** Names it in errors and profiles, e.g. `train batch 16`. */
  readonly name: string;
  readonly parameters: readonly TensorSpec[];
  readonly inputs: readonly InputSpec[];
  /** float32 outputs by name. */
  readonly outputs: readonly TensorSpec[];
  /** The scalar output whose gradient with respect to every parameter is wanted; absent: forward only. */
  readonly gradientOf?: string;
  build(
    ops: Ops,
    parameters: readonly Tensor[],
    inputs: Readonly<Record<string, Tensor>>,
  ): Record<string, Tensor>;
}

/** One call of an executable. All arrays are the caller's; outputs and gradients are written in place. */
export interface Call {
  /** All parameters, flat, in the order of `Program.parameters`. May lie in shared memory. */
  readonly parameters: Float32Array;
  readonly inputs: Readonly<Record<string, InputArray>>;
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** As long as `parameters`; required when the program has `gradientOf`. May lie in shared memory. */
  readonly gradients?: Float32Array;
}

export interface Executable {
  readonly program: Program;
  /** Throws EngineError naming the program, and the tensor where one is to blame. */
  run(call: Call): Promise<void>;
  dispose(): Promise<void>;
}

export type EngineName = 'onnxruntime' | 'onnxruntime-web' | 'tensorflow' | 'reference';
export type Provider = 'cpu' | 'wasm' | 'webgpu' | 'cuda';

/** Runs programs on one device. Not to be shared between threads: `run` blocks the thread that calls it. */
export interface Engine {
  readonly name: EngineName;
  readonly provider: Provider;
  /** Words for people: `onnxruntime 1.30.0, cpu, 1 thread`. */
  readonly description: string;
  /** A program is fastest while each of its maps takes at most so many bytes: what the caches hold. Absent: the more the better. */
  readonly mapBytes?: number;
  /** Throws EngineError naming every operation that the provider lacks. */
  compile(program: Program): Promise<Executable>;
  dispose(): Promise<void>;
}

export class EngineError extends Error {
  override readonly name = 'EngineError';
}
