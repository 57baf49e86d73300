import type { GradSaveFunc } from '@tensorflow/tfjs';
import { tf, type Tensor } from '../networks/tensors.js';
import type { Bins } from './logistic-bins.js';

/** Less it is no log-mass of float32 numbers. */
const NO_FLOOR = 1e30;

/** A mixture of M logistics for each of C variables a location, L locations. */
export interface MixtureTensors {
  /** [B,1,M,L] */
  readonly logits: Tensor;
  /** [B,C,M,L] */
  readonly means: Tensor;
  /** [B,C,M,L] */
  readonly inverseScales: Tensor;
  /** Their logarithms: taken by themselves, as the scales may be logarithms to begin with. */
  readonly logInverseScales: Tensor;
}

/** Values of the classes x [B,C,H,W]: [B,C,1,L]. */
export function valuesOf(x: Tensor, { halfWidth }: Bins): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const classes = tf.reshape(tf.cast(x, 'float32'), [batch, channels, 1, height * width]);
  return tf.sub(tf.mul(classes, 2 * halfWidth), 1);
}

/**
 * Sum of `scored` * log p(x), nats, [B]: x int32 and scored float32 [B,C,H,W], the mass of each bin in log space. With u and l its ends in
 * scales from the mean, sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(l - u)): no factor cancels. At an edge the factors of the end
 * that is not there are left out.
 */
export function mixtureLogLikelihood(
  { logits, means, inverseScales, logInverseScales }: MixtureTensors,
  x: Tensor,
  scored: Tensor,
  bins: Bins,
): Tensor {
  const { numClasses, halfWidth, numEdges, logFloor } = bins;
  const [batch, channels, , locations] = means.shape as [number, number, number, number];
  const classes = tf.reshape(tf.cast(x, 'float32'), [batch, channels, 1, locations]);
  const hasLower = tf.cast(tf.greaterEqual(classes, numEdges), 'float32');
  const hasUpper = tf.cast(tf.less(classes, numClasses - numEdges), 'float32');
  const isInner = tf.mul(hasLower, hasUpper);

  const middle = tf.mul(tf.sub(valuesOf(x, bins), means), inverseScales);
  const reach = tf.mul(inverseScales, halfWidth);
  const below = tf.mul(logSigmoid(tf.add(middle, reach)), hasUpper);
  const above = tf.mul(logSigmoid(tf.sub(reach, middle)), hasLower);
  const between = tf.mul(logWidth(tf.add(logInverseScales, Math.log(2 * halfWidth))), isInner);
  const exact = tf.add(tf.add(below, above), between);
  const masses = logFloor === -Infinity ? exact : tf.maximum(exact, floors(isInner, logFloor));

  const weighted = logSumExp(tf.add(masses, logits));
  const logProbabilities = tf.sub(weighted, logSumExp(logits));
  return tf.sum(tf.mul(tf.reshape(logProbabilities, [batch, -1]), tf.reshape(scored, [batch, -1])), 1);
}

/** log(1 + exp(x)), to a small part of itself where it is small too. */
export function softplus(x: Tensor): Tensor {
  const operation = tf.customGrad((given, save) => {
    const z = given as Tensor;
    const small = tf.exp(tf.minimum(z, tf.neg(z)));
    const sum = tf.add(small, 1);
    // What the sum's rounding lost, to first order.
    const lost = tf.div(tf.sub(small, tf.sub(sum, 1)), sum);
    const value = tf.add(tf.maximum(z, 0), tf.add(tf.log(sum), lost));
    (save as GradSaveFunc)([z, value]);
    // The sigmoid, which engines that compute it as such give as 0 where it is small.
    const gradFunc = (dy: Tensor, [at, of]: Tensor[]) => tf.mul(dy, tf.exp(tf.sub(at!, of!)));
    return { value, gradFunc };
  });
  return operation(x);
}

/** Over the mixture, axis 2, in whose gradient, the softmax, the maximum has no part. */
function logSumExp(x: Tensor): Tensor {
  const operation = tf.customGrad((given, save) => {
    const z = given as Tensor;
    const largest = tf.max(z, 2, true);
    const value = tf.add(largest, tf.log(tf.sum(tf.exp(tf.sub(z, largest)), 2, true)));
    (save as GradSaveFunc)([z, value]);
    const gradFunc = (dy: Tensor, [at, of]: Tensor[]) => tf.mul(dy, tf.exp(tf.sub(at!, of!)));
    return { value, gradFunc };
  });
  return operation(x);
}

function logSigmoid(x: Tensor): Tensor {
  return tf.neg(softplus(tf.neg(x)));
}

/**
 * log(1 - exp(-d)), given log d. Below d = 1 it is log d - d/2 + log(sinh(d/2) / (d/2)), whose last term is a short series;
 * tanh, which would do for all d, is off for small ones on GPUs.
 */
function logWidth(logD: Tensor): Tensor {
  const d = tf.exp(logD);
  const narrow = tf.minimum(d, 1);
  const square = tf.square(narrow);
  const series = tf.mul(square, tf.add(tf.mul(square, tf.sub(tf.mul(square, 1 / 181440), 1 / 2880)), 1 / 24));
  const upToOne = tf.add(tf.sub(tf.minimum(logD, 0), tf.mul(narrow, 0.5)), series);
  const wide = tf.log(tf.sub(1, tf.exp(tf.neg(tf.maximum(d, 1)))));
  // Both hold the value at d = 1.
  return tf.add(upToOne, tf.sub(wide, Math.log(1 - Math.exp(-1))));
}

/** The least log-mass of inner bins, and none of the others. */
function floors(isInner: Tensor, logFloor: number): Tensor {
  return tf.sub(tf.mul(isInner, logFloor), tf.mul(tf.sub(1, isInner), NO_FLOOR));
}
