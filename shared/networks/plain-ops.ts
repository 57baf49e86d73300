import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs';
import type { Ops } from './ops.js';
import { tf, type Tensor } from './tensors.js';

const EPSILON = 1e-6;
/** Its exponential is 0. */
const LEAST_SCORE = -1e30;
/** Added to the mass of each class of a stage. */
export const STAGE_FLOOR = 1e-10;

/** `Ops` in plain TensorFlow.js, gradients by its autodiff: the definition that every engine's own forms must match. */
export const plainOps: Ops = {
  conv3x3: (x, kernel, bias) => convolve(x, kernel, 1, bias),

  conv3x3Stride2: (x, kernel, bias) => convolve(x, kernel, 2, bias),

  conv1x1(x, kernel, bias) {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    const outputs = kernel.shape[0]!;
    const maps = tf.reshape(x, [batch, channels, height * width]);
    const kernels = tf.tile(tf.expandDims(kernel, 0), [batch, 1, 1]);
    const y = tf.reshape(tf.matMul(kernels, maps), [batch, outputs, height, width]);
    return bias ? addPerChannel(y, bias) : y;
  },

  dilatedConv(x, kernel, bias, dilation, causal) {
    const [batch, inputs, , length] = x.shape as [number, number, number, number];
    const before = causal ? 2 * dilation : dilation;
    const padded = tf.pad(tf.reshape(x, [batch, inputs, length]), [
      [0, 0],
      [0, 0],
      [before, 2 * dilation - before],
    ]);
    const taps = [0, 1, 2].map((tap) => tf.slice(padded, [0, 0, tap * dilation], [batch, inputs, length]));
    const outputs = kernel.shape[1]!;
    const matrix = tf.reshape(tf.transpose(kernel, [1, 0, 2]), [1, outputs, 3 * inputs]);
    const y = tf.matMul(tf.tile(matrix, [batch, 1, 1]), tf.concat(taps, 1));
    return addPerChannel(tf.expandDims(y, 2), bias);
  },

  upsample2(x) {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    const rows = tf.reshape(tf.stack([x, x], 3), [batch, channels, 2 * height, width]);
    return tf.reshape(tf.stack([rows, rows], 4), [batch, channels, 2 * height, 2 * width]);
  },

  groupNorm(x, scale, bias, groups, swish) {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    const grouped = tf.reshape(x, [batch * groups, (channels / groups) * height * width]);
    // Two passes: E[x^2] - E[x]^2 loses three digits on nearly constant maps.
    const centred = tf.sub(grouped, tf.mean(grouped, 1, true));
    const variance = tf.mean(tf.square(centred), 1, true);
    const normal = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, EPSILON))), x.shape);
    const y = addPerChannel(tf.mul(normal, tf.reshape(scale, [1, channels, 1, 1])), bias);
    return swish ? plainOps.swish(y) : y;
  },

  layerNorm(x, scale, bias) {
    const centred = tf.sub(x, tf.mean(x, 1, true));
    const variance = tf.mean(tf.square(centred), 1, true);
    const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, EPSILON)));
    return addPerChannel(tf.mul(normal, tf.reshape(scale, [1, scale.shape[0]!, 1, 1])), bias);
  },

  swish: (x) => tf.mul(x, tf.sigmoid(x)),

  gelu(x) {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
  },

  feedForward: (x, first, second) =>
    plainOps.conv1x1(
      plainOps.gelu(plainOps.conv1x1(x, first.kernel, first.bias)),
      tf.transpose(second.kernel),
      second.bias,
    ),

  gate: (x, y) => tf.mul(tf.tanh(x), tf.sigmoid(y)),

  embed: (rows, table) =>
    tf.reshape(tf.gather(table, tf.reshape(rows, [-1]) as Tensor1D), [...rows.shape, table.shape[1]!]),

  fromRows(rows, locations) {
    const [given, channels] = rows.shape as [number, number];
    const all = tf.concat([rows, tf.zeros([locations - given, channels])], 0);
    return tf.reshape(tf.transpose(all), [1, channels, 1, locations]);
  },

  embedClasses(classes, table, projection) {
    const [batch, channels, height, width] = classes.shape as [number, number, number, number];
    const [, features, outputs] = projection.shape as [number, number, number];
    const locations = height * width;
    const rows = tf.gather(table, tf.reshape(classes, [-1]) as Tensor1D);
    const perLocation = tf.transpose(tf.reshape(rows, [batch, channels, locations, features]), [0, 2, 1, 3]);
    const flat = tf.reshape(perLocation, [batch * locations, channels * features]);
    const mapped = tf.matMul(flat, tf.reshape(projection, [channels * features, outputs]));
    return tf.reshape(tf.transpose(tf.reshape(mapped, [batch, locations, outputs]), [0, 2, 1]), [
      batch,
      outputs,
      height,
      width,
    ]);
  },

  dropout: (x, mask, keep) => tf.mul(x, tf.mul(tf.cast(mask, 'float32'), 1 / keep)),

  attention(query, key, value, heads) {
    const [batch, channels, height, width] = query.shape as [number, number, number, number];
    const size = channels / heads;
    const perHead = (x: Tensor) => tf.reshape(x, [batch * heads, size, height * width]);
    const scores = tf.mul(tf.matMul(perHead(query), perHead(key), true, false), 1 / Math.sqrt(size));
    return tf.reshape(tf.matMul(perHead(value), tf.softmax(scores), false, true), query.shape);
  },

  sequenceAttention(query, key, value, { batch, length, heads, causal, dropout }) {
    const [, channels, , locations] = query.shape as [number, number, number, number];
    const size = channels / heads;
    const used = batch * length;
    const perHead = (x: Tensor) => {
      const given = tf.slice(tf.reshape(x, [channels, locations]), [0, 0], [channels, used]);
      const apart = tf.transpose(tf.reshape(given, [heads, size, batch, length]), [2, 0, 3, 1]);
      return tf.reshape(apart, [batch * heads, length, size]);
    };
    const scores = tf.mul(tf.matMul(perHead(query), perHead(key), false, true), 1 / Math.sqrt(size));
    const weights = tf.softmax(causal ? tf.add(scores, laterLocations(length)) : scores);
    const kept = dropout
      ? plainOps.dropout(weights, tf.reshape(dropout.mask, weights.shape), dropout.keep)
      : weights;
    const mixed = tf.reshape(tf.matMul(kept, perHead(value)), [batch, heads, length, size]);
    const together = tf.reshape(tf.transpose(mixed, [1, 3, 0, 2]), [channels, used]);
    return tf.reshape(tf.concat([together, tf.zeros([channels, locations - used])], 1), query.shape);
  },

  selfAttention(x, { query, key, value, out }, sequences) {
    const [q, k, v] = [query, key, value].map((kernel) => plainOps.conv1x1(x, kernel));
    return plainOps.conv1x1(plainOps.sequenceAttention(q!, k!, v!, sequences), tf.transpose(out));
  },

  logLikelihood(logits, target, weight, numClasses) {
    const [batch, channels, height, width] = target.shape as [number, number, number, number];
    const locations = height * width;
    const perClass = tf.reshape(logits, [batch, channels, numClasses, locations]);
    const logProbabilities = tf.logSoftmax(tf.transpose(perClass, [0, 1, 3, 2]));
    const oneHot = tf.oneHot(tf.reshape(target, [-1]) as Tensor1D, numClasses, 1, 0, 'float32');
    const picked = tf.sum(tf.mul(tf.reshape(logProbabilities, [-1, numClasses]), oneHot), 1);
    return tf.sum(tf.mul(tf.reshape(picked, [batch, -1]), tf.reshape(weight, [batch, -1])), 1);
  },

  stageLogLikelihood(logits, { target, within, siblings, children, parents }, weight) {
    const [batch, channels, height, width] = target.shape as [number, number, number, number];
    const numClasses = children.shape[1]!;
    const locations = height * width;
    const perClass = tf.reshape(logits, [batch, channels, numClasses, locations]);
    const q = tf.softmax(tf.transpose(perClass, [0, 1, 3, 2]));
    const mass = (classes: Tensor, wanted: Tensor) => {
      const of = tf.reshape(classes, [batch, 1, 1, numClasses]);
      const here = tf.reshape(tf.cast(wanted, 'float32'), [batch, channels, locations, 1]);
      return tf.sum(tf.mul(q, tf.cast(tf.equal(of, here), 'float32')), 3);
    };
    const floors = tf.mul(tf.reshape(siblings, [batch, channels, locations]), STAGE_FLOOR);
    const value = tf.sub(
      tf.log(tf.add(mass(children, target), STAGE_FLOOR)),
      tf.log(tf.add(mass(parents, within), floors)),
    );
    return tf.sum(tf.mul(tf.reshape(value, [batch, -1]), tf.reshape(weight, [batch, -1])), 1);
  },
};

function convolve(x: Tensor, kernel: Tensor, stride: number, bias?: Tensor): Tensor {
  const [, outputs, inputs] = kernel.shape as [number, number, number];
  const filter = tf.transpose(tf.reshape(kernel, [3, 3, outputs, inputs]), [0, 1, 3, 2]);
  const y = tf.conv2d(tf.transpose(x, [0, 2, 3, 1]) as Tensor4D, filter as Tensor4D, stride, 'same');
  const maps = tf.transpose(y, [0, 3, 1, 2]);
  return bias ? addPerChannel(maps, bias) : maps;
}

/** What takes away scores [query, key] of keys after the query, 0 for the others. */
function laterLocations(locations: number): Tensor {
  const mask = Float32Array.from({ length: locations ** 2 }, (_, i) =>
    i % locations > Math.floor(i / locations) ? LEAST_SCORE : 0,
  );
  return tf.tensor2d(mask, [locations, locations]);
}

/** x [B,C,H,W] + bias [C]. */
function addPerChannel(x: Tensor, bias: Tensor): Tensor {
  return tf.add(x, tf.reshape(bias, [1, bias.shape[0]!, 1, 1]));
}
