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
  conv1x1(x: Tensor, kernel: Tensor, bias?: Tensor): Tensor;
  /**
   * Convolution of width 3 along a sequence, its taps `dilation` apart, with as many zeros around it as keep its length: half of them on either side,
   * or all before it where `causal`. x [B,C,1,L], kernel [3,O,C] (tap, out, in), bias [O] -> [B,O,1,L]
   */
  dilatedConv(x: Tensor, kernel: Tensor, bias: Tensor, dilation: number, causal: boolean): Tensor;
  /** Nearest-neighbour doubling of height and width. */
  upsample2(x: Tensor): Tensor;
  /** GroupNorm, epsilon 1e-6, affine scale [C] and bias [C], then swish where `swish`. x [B,C,H,W] */
  groupNorm(x: Tensor, scale: Tensor, bias: Tensor, groups: number, swish: boolean): Tensor;
  /** LayerNorm over the channels at each location, epsilon 1e-6, affine scale [C] and bias [C]. x [B,C,H,W] */
  layerNorm(x: Tensor, scale: Tensor, bias: Tensor): Tensor;
  /** x * sigmoid(x), any shape. */
  swish(x: Tensor): Tensor;
  /** x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))): GELU by tanh, any shape. */
  gelu(x: Tensor): Tensor;
  /** tanh(x) * sigmoid(y), of one shape. */
  gate(x: Tensor, y: Tensor): Tensor;
  /**
   * A dense layer, GELU and a dense layer at each location: x [B,C,H,W], kernels [M,C] and [M,O], biases [M] and [O] -> [B,O,H,W]
   */
  feedForward(x: Tensor, first: DenseLayer, second: DenseLayer): Tensor;
  /** Rows of a table [K,D] by their numbers, int32 of any shape [...] -> [...,D] */
  embed(rows: Tensor, table: Tensor): Tensor;
  /** Rows [n,C] as the locations of a map, zeros after them -> [1,C,1,locations] */
  fromRows(rows: Tensor, locations: number): Tensor;
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
  /** The same in sequences: query, key, value [1,C,1,N], the locations of one sequence after those of another, zeros after the last. */
  sequenceAttention(query: Tensor, key: Tensor, value: Tensor, sequences: Sequences): Tensor;
  /** A dense layer to each of query, key and value, `sequenceAttention` and a dense layer: x [1,C,1,N] -> [1,C,1,N] */
  selfAttention(x: Tensor, kernels: AttentionKernels, sequences: Sequences): Tensor;
  /**
   * Weighted log-likelihood of classes: logits [B,C*K,H,W] (channel-major: C blocks of K), target int32 [B,C,H,W],
   * weight float32 [B,C,H,W] -> sum over all variables of weight * log softmax(logits)[target], nats, [B]
   */
  logLikelihood(logits: Tensor, target: Tensor, weight: Tensor, numClasses: number): Tensor;
  /**
   * The same of the classes that a stage of an upscale model leads to (section 2.2): a class k becomes `children`[k], of those
   * that are `parents`[k]. logits [B,C*K,H,W]; children, parents float32 [B,K]; target (a child) and within (a parent) int32, siblings (the number of
   * children of that parent) float32 [B,C,H,W]. With q the softmax and e = 1e-10, the log-likelihood of a variable is
   * log(sum of q where child = target + e) - log(sum of q where parent = within + siblings * e).
   */
  stageLogLikelihood(logits: Tensor, stage: StageTensors, weight: Tensor): Tensor;
}

/** kernel [O,C], bias [O] */
export interface DenseLayer {
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** query, key, value [C,C] (out, in), each head's channels after those of another; out [C,C] (in, out) */
export interface AttentionKernels {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly out: Tensor;
}

/** The sequences that `sequenceAttention` keeps apart, and how a location takes from its own. */
export interface Sequences {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  /** Each location takes from itself and those before it only. */
  readonly causal: boolean;
  /** Keeps the weights where the mask, uint8 [batch,heads,length,length] (query, key), is 1, scaled by 1/keep. */
  readonly dropout?: { readonly mask: Tensor; readonly keep: number };
}

/** What `stageLogLikelihood` reads of the stages. */
export interface StageTensors {
  readonly target: Tensor;
  readonly within: Tensor;
  readonly siblings: Tensor;
  readonly children: Tensor;
  readonly parents: Tensor;
}
