import type { StageTensors } from '../../../networks/ops.js';
import { STAGE_FLOOR } from '../../../networks/plain-ops.js';
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** What a stage's likelihood reads, as `StageTensors` says. */
export type StageValues = Readonly<Record<keyof StageTensors, Value>>;

/** logits [B,C*K,H,W], weight [B,C,H,W] -> weighted sum of each variable's stage log-likelihood, [B] */
export function stageLogLikelihood(b: Builder, logits: Value, stage: StageValues, weight: Value): Value {
  const [batch, ...variables] = weight.shape as Maps;
  const { value } = massesOf(b, logits, stage);
  const weighted = b.mul(b.reshape(value, weight.shape), weight);
  return b.sum(b.reshape(weighted, [batch, variables.reduce((x, y) => x * y)]), [1]);
}

/**
 * The gradients of logits and weights. With q the softmax, c and p its masses in the target and in the class it is within, and f and n f
 * their floors: weight * q_k ([k in target] / (c + f) - [k within] / (p + n f) - s), s = c / (c + f) - p / (p + n f).
 */
export function stageLogLikelihoodGradients(
  b: Builder,
  dy: Value,
  logits: Value,
  stage: StageValues,
  weight: Value,
): [Value, Value] {
  const [batch] = weight.shape as Maps;
  const { exponentials, sum, isChild, isWithin, child, parent, value } = massesOf(b, logits, stage);
  const ofExample = b.reshape(dy, [batch, 1, 1, 1]);
  const scaled = b.reshape(b.mul(weight, ofExample), sum.shape);
  // Of a class in the target, of one within beside it, of all others; what they are within holds the target.
  const perChild = b.div(scaled, child.floored);
  const perParent = b.div(scaled, parent.floored);
  const other = b.sub(b.mul(perParent, parent.mass), b.mul(perChild, child.mass));
  const beside = b.sub(other, perParent);
  const factors = [b.add(beside, perChild), beside, other].map((factor) => b.div(factor, sum));
  const factor = choose(b, isChild, factors[0]!, choose(b, isWithin, factors[1]!, factors[2]!));
  const dLogits = b.reshape(b.mul(exponentials, factor), logits.shape);
  return [dLogits, b.mul(b.reshape(value, weight.shape), ofExample)];
}

/**
 * Exponentials of the centred logits [B,C,K,H*W] and their sum [B,C,1,H*W]; which classes belong to the target and which to what
 * it is within; for each of the two the mass, of 1 in all, and the same with its floor; and the log-likelihood.
 */
function massesOf(b: Builder, logits: Value, { target, within, siblings, children, parents }: StageValues) {
  const [batch, channels, height, width] = target.shape as Maps;
  const [numClasses, locations] = [children.shape[1]!, height * width];
  const rows = b.reshape(logits, [batch, channels, numClasses, locations]);
  const exponentials = b.unary('Exp', b.sub(rows, b.reduce('ReduceMax', rows, [2], true)));
  const sum = b.sum(exponentials, [2], true);
  const perVariable = (x: Value) => b.reshape(b.cast(x, 'float32'), [batch, channels, 1, locations]);
  const belongs = (classes: Value, wanted: Value) =>
    b.compare('Equal', b.reshape(classes, [batch, 1, numClasses, 1]), perVariable(wanted));
  const massOf = (members: Value, floor: Value) => {
    const kept = choose(b, members, exponentials, b.scalar(0));
    const mass = b.div(b.sum(kept, [2], true), sum);
    return { mass, floored: b.add(mass, floor) };
  };
  const [isChild, isWithin] = [belongs(children, target), belongs(parents, within)];
  const floor = b.scalar(STAGE_FLOOR);
  const child = massOf(isChild, floor);
  const parent = massOf(isWithin, b.mul(perVariable(siblings), floor));
  const value = b.sub(b.unary('Log', child.floored), b.unary('Log', parent.floored));
  return { exponentials, sum, isChild, isWithin, child, parent, value };
}

function choose(b: Builder, condition: Value, yes: Value, no: Value): Value {
  const shape = condition.shape.map((extent, axis) =>
    Math.max(extent, yes.shape[axis] ?? 1, no.shape[axis] ?? 1),
  );
  return b.op('Where', [condition, yes, no], shape, {}, yes.type);
}
