import type { Ops } from './ops.js';
import type { Tensor } from './tensors.js';

/** How a parameter starts. Fans are of the original's layout; `truncated normal` as Flax draws LeCun-normal kernels. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'truncatedNormal'; readonly variance: number }
  /** Between -limit and limit. */
  | { readonly kind: 'uniform'; readonly limit: number };

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
  readonly factorization: Factorization;
}

/**
 * What the outputs at a position may depend on. `any-order`: all that the mask says is known. `left-to-right`: the classes at
 * positions before it. `permuted`: the classes come in the order of generation, with the position of each, and an output depends on those
 * before it in that order and on its own position.
 */
export type Factorization = 'any-order' | 'left-to-right' | 'permuted';

/** What a network reads at one call. */
export interface NetworkInput {
  /** Classes with the absorbing state where unknown, int32 [B,C,H,W]. */
  readonly classes: Tensor;
  /** Mask channels (1 = known; upscale adds the one-hot stage), float32 [B,M,H,W]; absent unless `Network.readsMask`. */
  readonly mask?: Tensor;
  /** Sinusoidal embedding of the time step, float32 [B,timeChannels]; absent where timeChannels is 0. */
  readonly time?: Tensor;
  /** Where each variable lies, int32 [B,W]; for `permuted` only. */
  readonly positions?: Tensor;
  /** Dropout masks in the order of `Network.dropouts`, uint8; empty when not training. */
  readonly dropout: readonly Tensor[];
}

/** A dropout mask: its shape for one example, and the probability that an element is kept. */
export interface DropoutSpec {
  readonly shape: readonly number[];
  readonly keep: number;
}

/** A network written once, run by every engine. */
export interface Network {
  readonly parameters: readonly ParameterSpec[];
  readonly readsMask: boolean;
  /** Width of the time embedding it reads; 0: none. */
  readonly timeChannels: number;
  /** The dropout masks of one example, in the order of use; empty at rate 0. */
  readonly dropouts: readonly DropoutSpec[];
  /** [B, outputs, H, W] from parameters in the order of `parameters`. */
  apply(ops: Ops, parameters: readonly Tensor[], input: NetworkInput): Tensor;
}

/** Number of scalars in all parameters. */
export function countParameters(specs: readonly { readonly shape: readonly number[] }[]): number {
  return specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
