import type { Ops } from './ops.js';
import type { Tensor } from './tensors.js';

/** How a parameter starts. Fans are of the original's layout; `truncated normal` as Flax draws LeCun-normal kernels. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'truncatedNormal'; readonly variance: number };

/** One parameter tensor. Its bytes in memory are the original's tensor with axes permuted by `axes`, then reshaped to `shape`. */
export interface ParameterSpec {
  /** The original's parameter path, e.g. `down_0.block_0/conv1/kernel`: the name in checkpoints and fixtures. */
  readonly name: string;
  /** Shape in memory, as the network takes it. */
  readonly shape: readonly number[];
  /** Shape in checkpoints: the original's (conv kernels HWIO, dense (in, out)). */
  readonly originalShape: readonly number[];
  /** memory = transpose(original, axes); absent where memory and original agree byte for byte. */
  readonly axes?: readonly number[];
  readonly init: Initializer;
}

/** The sizes that the data and the model's kind give a network. */
export interface NetworkShape {
  readonly height: number;
  readonly width: number;
  /** Data channels C: variables a location. */
  readonly channels: number;
  /** Mask channels M: C for order-agnostic models; more where the stage is told too. */
  readonly maskChannels: number;
  /** Classes an input variable can take, the absorbing state included: the divisor of its scaling and the embedding's rows. */
  readonly numInputClasses: number;
  /** Outputs a location. */
  readonly numOutputs: number;
}

/** What a network reads at one call. */
export interface NetworkInput {
  /** Classes with the absorbing state where unknown, int32 [B,C,H,W]. */
  readonly classes: Tensor;
  /** Mask channels (1 = known; upscale adds the one-hot stage), float32 [B,M,H,W]. */
  readonly mask: Tensor;
  /** Sinusoidal embedding of the time step, float32 [B,channels]. */
  readonly time: Tensor;
  /** Dropout masks in the order of `Network.dropoutShapes`, uint8; empty when not training. */
  readonly dropout: readonly Tensor[];
}

/** A network written once, run by every engine. */
export interface Network {
  readonly parameters: readonly ParameterSpec[];
  /** Width of the time embedding it reads. */
  readonly timeChannels: number;
  /** Shapes [C,H,W] of the dropout masks of one example, in the order of use; empty at rate 0. */
  readonly dropoutShapes: readonly (readonly number[])[];
  /** The keep probability of those masks. */
  readonly dropoutKeep: number;
  /** [B, outputs, H, W] from parameters in the order of `parameters`. */
  apply(ops: Ops, parameters: readonly Tensor[], input: NetworkInput): Tensor;
}

/** Number of scalars in all parameters. */
export function countParameters(specs: readonly { readonly shape: readonly number[] }[]): number {
  return specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
