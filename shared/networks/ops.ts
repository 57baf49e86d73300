import type { Tensor } from './tensors.js';

/**
 * What a network is written in besides plain tfjs ops: the few operations that an engine may lower to a form of
 * its own. `plainOps` defines each in tfjs ops; every other implementation must agree with it, value and gradient.
 * All maps are NCHW; B batch, C channels in, O channels out.
 */
export interface Ops {
  /** 3x3 convolution, stride 1, zero padding SAME. x [B,C,H,W], kernel [9,O,C] (ky*3+kx, out, in), bias [O] -> [B,O,H,W] */
  conv3x3(x: Tensor, kernel: Tensor, bias?: Tensor): Tensor;
  /** 3x3 convolution, stride 2, zero padding SAME as XLA places it (even sizes: after only) -> [B,O,ceil(H/2),ceil(W/2)] */
  conv3x3Stride2(x: Tensor, kernel: Tensor, bias: Tensor): Tensor;
  /** A dense layer at each location. x [B,C,H,W], kernel [O,C], bias [O] -> [B,O,H,W] */
  conv1x1(x: Tensor, kernel: Tensor, bias: Tensor): Tensor;
  /** Nearest-neighbour doubling of height and width. */
  upsample2(x: Tensor): Tensor;
  /** GroupNorm, epsilon 1e-6, affine scale [C] and bias [C], then swish where `swish`. x [B,C,H,W] */
  groupNorm(x: Tensor, scale: Tensor, bias: Tensor, groups: number, swish: boolean): Tensor;
  /** x * sigmoid(x), any shape. */
  swish(x: Tensor): Tensor;
  /**
   * Embedding of each data channel's class, then a linear map of all channels' embeddings together:
   * classes int32 [B,C,H,W], table [K,q], projection [C,q,p] -> [B,p,H,W] (no bias).
   */
  embedClasses(classes: Tensor, table: Tensor, projection: Tensor): Tensor;
  /** Keeps x where mask (uint8 0/1, x's shape) is 1, scaled by 1/keep. */
  dropout(x: Tensor, mask: Tensor, keep: number): Tensor;
  /**
   * Softmax over all locations, one head after another: query, key, value [B,C,H,W], C = heads * size;
   * weights softmax(q k / sqrt(size)) -> [B,C,H,W]
   */
  attention(query: Tensor, key: Tensor, value: Tensor, heads: number): Tensor;
  /**
   * Weighted log-likelihood of classes: logits [B,C*K,H,W] (channel-major: C blocks of K), target int32 [B,C,H,W],
   * weight float32 [B,C,H,W] -> sum over all variables of weight * log softmax(logits)[target], nats, [B]
   */
  logLikelihood(logits: Tensor, target: Tensor, weight: Tensor, numClasses: number): Tensor;
}
