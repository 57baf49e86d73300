import { PURPOSE, stream } from '../random/philox.js';
import { drawOrder } from './orders.js';
import { drawTimeSteps, type Steps, type TimeStepMode } from './time-steps.js';

/** Some examples of one pass of an evaluation over `numExamples`. */
export interface EvaluationPart {
  readonly seed: number;
  readonly pass: number;
  readonly first: number;
  readonly count: number;
  readonly numExamples: number;
  readonly numPositions: number;
  readonly steps: Steps;
  readonly mode: TimeStepMode;
}

/**
 * One order and one step an example (section 1.7): orders [count * numPositions], steps [count]. Both are functions of
 * (seed, pass, example), however the pass is cut into parts; `antithetic` spreads over the whole pass.
 */
export function drawEvaluation(part: EvaluationPart): { orders: Int32Array; timeSteps: Int32Array } {
  const { seed, pass, first, count, numExamples, numPositions, steps, mode } = part;
  const orders = new Int32Array(count * numPositions);
  for (let i = 0; i < count; i++) {
    const order = orders.subarray(i * numPositions, (i + 1) * numPositions);
    drawOrder(stream(seed, PURPOSE.evaluationOrder, pass, first + i), numPositions, order);
  }
  const purpose = PURPOSE.evaluationTimeStep;
  const timeSteps = drawTimeSteps(mode, seed, pass, numExamples, steps, purpose);
  return { orders, timeSteps: timeSteps.slice(first, first + count) };
}
