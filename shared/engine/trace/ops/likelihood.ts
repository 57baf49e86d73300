import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** logits [B,C*K,H,W], target int32 [B,C,H,W], weight [B,C,H,W] -> weighted sum of log softmax(logits)[target], [B] */
export function logLikelihood(b: Builder, logits: Value, target: Value, weight: Value): Value {
  const [batch, ...variables] = weight.shape as Maps;
  const weighted = b.mul(b.reshape(logProbabilities(b, logits, target), weight.shape), weight);
  return b.sum(b.reshape(weighted, [batch, variables.reduce((x, y) => x * y)]), [1]);
}

/** The gradients of logits, weight * (one-hot target - softmax), and of the weights. */
export function logLikelihoodGradients(
  b: Builder,
  dy: Value,
  logits: Value,
  target: Value,
  weight: Value,
): [Value, Value] {
  const [batch] = weight.shape as Maps;
  const perVariable = b.mul(weight, b.reshape(dy, [batch, 1, 1, 1]));
  const index = targetRows(b, target);
  const scaled = b.reshape(perVariable, index.shape);
  const { exponentials, sum } = centred(b, logits, target);
  const pulled = b.mul(exponentials, b.unary('Neg', b.div(scaled, sum)));
  const attributes = { axis: 1, reduction: 'add' };
  const dLogits = b.op('ScatterElements', [pulled, index, scaled], pulled.shape, attributes);
  const picked = b.reshape(logProbabilities(b, logits, target), weight.shape);
  return [b.reshape(dLogits, logits.shape), b.mul(picked, b.reshape(dy, [batch, 1, 1, 1]))];
}

/** [B*C,1,H*W] */
function logProbabilities(b: Builder, logits: Value, target: Value): Value {
  const { differences, sum } = centred(b, logits, target);
  const index = targetRows(b, target);
  const picked = b.op('GatherElements', [differences, index], index.shape, { axis: 1 });
  return b.sub(picked, b.unary('Log', sum));
}

/** Logits less their maximum over the classes, their exponentials [B*C,K,H*W], and the sum of these [B*C,1,H*W]. */
function centred(b: Builder, logits: Value, target: Value) {
  const [batch, channels, height, width] = target.shape as Maps;
  const rows = b.reshape(logits, [batch * channels, logits.shape[1]! / channels, height * width]);
  const differences = b.sub(rows, b.reduce('ReduceMax', rows, [1], true));
  const exponentials = b.unary('Exp', differences);
  return { differences, exponentials, sum: b.sum(exponentials, [1], true) };
}

/** The target as [B*C,1,H*W]; GPUs reshape floats only. */
function targetRows(b: Builder, target: Value): Value {
  const [batch, channels, height, width] = target.shape as Maps;
  const shape = [batch * channels, 1, height * width];
  if (b.forms.device === 'cpu') return b.reshape(target, shape);
  return b.cast(b.reshape(b.cast(target, 'float32'), shape), 'int32');
}
