import { PURPOSE, stream } from '../random/philox.js';
import { drawOrder } from './orders.js';
import { drawTimeSteps, type TimeStepMode } from './time-steps.js';

/** Some examples of one pass of an evaluation over `numExamples`. */
export interface EvaluationPart {
  readonly seed: number;
  readonly pass: number;
  readonly first: number;
  readonly count: number;
  readonly numExamples: number;
  readonly numVariables: number;
  readonly mode: TimeStepMode;
}

/**
 * One order and one time step an example (section 1.7): orders [count * numVariables], time steps [count]. Both are
 * functions of (seed, pass, example), however the pass is cut into parts; `antithetic` spreads over the whole pass.
 */
export function drawEvaluation(part: EvaluationPart): { orders: Int32Array; timeSteps: Int32Array } {
  const { seed, pass, first, count, numExamples, numVariables, mode } = part;
  const orders = new Int32Array(count * numVariables);
  for (let i = 0; i < count; i++) {
    const order = orders.subarray(i * numVariables, (i + 1) * numVariables);
    drawOrder(stream(seed, PURPOSE.evaluationOrder, pass, first + i), numVariables, order);
  }
  const purpose = PURPOSE.evaluationTimeStep;
  const timeSteps = drawTimeSteps(mode, seed, pass, numExamples, numVariables, purpose);
  return { orders, timeSteps: timeSteps.slice(first, first + count) };
}
