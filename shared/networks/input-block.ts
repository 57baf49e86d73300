import type { Initializer, NetworkInput, NetworkShape, ParameterSpec } from './network.js';
import type { Ops } from './ops.js';
import { tf, type Tensor } from './tensors.js';

// What images and audio share of reading their inputs (specification, sections 1.4 and 5.1).

const ZEROS: Initializer = { kind: 'zeros' };
const lecun = (fanIn: number): Initializer => ({ kind: 'truncatedNormal', variance: 1 / fanIn });

/** A parameter by its name. */
export type Get = (name: string) => Tensor;

/**
 * The layers of the block `name` that read classes: a quarter of the channels is an embedding of them; the convolution `conv_in`
 * that gives the rest is the network's own.
 */
export function embeddingParameters(name: string, channels: number, io: NetworkShape): ParameterSpec[] {
  const quarter = channels / 4;
  const embedded = io.channels * quarter;
  return [
    plain(`${name}/Embed_0/embedding`, [io.numInputClasses, quarter], {
      kind: 'normal',
      std: 1 / Math.sqrt(quarter),
    }),
    {
      ...plain(`${name}/emb_x_proj/kernel`, [io.channels, quarter, quarter], lecun(embedded)),
      originalShape: [embedded, quarter],
    },
    plain(`${name}/emb_x_proj/bias`, [quarter], ZEROS),
  ];
}

/** The layers of the block `name` that read the time embedding: to four times as many channels, twice. */
export function timeParameters(name: string, channels: number): ParameterSpec[] {
  return [
    ...denseParameters(`${name}/TimeEmbedding_0/dense0`, channels, 4 * channels),
    ...denseParameters(`${name}/TimeEmbedding_0/dense1`, 4 * channels, 4 * channels),
  ];
}

/** A dense layer of rows: kernel [in, out] and bias. */
export function denseParameters(name: string, inputs: number, outputs: number): ParameterSpec[] {
  return [plain(`${name}/kernel`, [inputs, outputs], lecun(inputs)), plain(`${name}/bias`, [outputs], ZEROS)];
}

/**
 * Classes and mask to [B,channels,H,W]: scaled values and the mask through `convolve`, embedded classes beside it. `shift` is done to
 * the values and to the embedded classes.
 */
export function embedInput(
  ops: Ops,
  get: Get,
  name: string,
  { classes, mask }: NetworkInput,
  numInputClasses: number,
  convolve: (values: Tensor) => Tensor,
  shift: (maps: Tensor) => Tensor = (maps) => maps,
): Tensor {
  const values = shift(tf.sub(tf.mul(tf.cast(classes, 'float32'), 2 / numInputClasses), 1));
  const maps = convolve(mask ? tf.concat([values, mask], 1) : values);
  const rows = ops.embedClasses(classes, get(`${name}/Embed_0/embedding`), get(`${name}/emb_x_proj/kernel`));
  const bias = get(`${name}/emb_x_proj/bias`);
  const embedded = tf.add(rows, tf.reshape(bias, [1, bias.shape[0]!, 1, 1]));
  return tf.concat([maps, shift(embedded)], 1);
}

/** swish of the time embedding, [B, 4 * channels]: what every block projects. */
export function embedTime(ops: Ops, get: Get, name: string, time: Tensor): Tensor {
  const hidden = ops.swish(dense(get, `${name}/TimeEmbedding_0/dense0`, time));
  return ops.swish(dense(get, `${name}/TimeEmbedding_0/dense1`, hidden));
}

/** x [B, in] -> [B, out] */
export function dense(get: Get, name: string, x: Tensor): Tensor {
  return tf.add(tf.matMul(x, get(`${name}/kernel`)), get(`${name}/bias`));
}

function plain(name: string, shape: readonly number[], init: Initializer): ParameterSpec {
  return { name, shape, originalShape: shape, init };
}
