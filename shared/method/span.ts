import { stageAndTime } from './bound.js';

/**
 * The times from `begin` to before `end` of every stage, in which an example is filled in: positions of lower ranks are known
 * beforehand, those from `end` on are left out.
 */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** What a span has of the loss components of all stages: its own, stage after stage. */
export function componentsWithin(
  components: Float64Array,
  numStages: number,
  { begin, end }: Span,
): Float64Array {
  const size = components.length / numStages;
  return Float64Array.from(
    Array.from({ length: numStages }, (_, stage) => [
      ...components.subarray(stage * size + begin, stage * size + end),
    ]).flat(),
  );
}

/** A policy for a span by itself, as if there were no other times, as steps of all stages of `numPositions`. */
export function policyOfSpan(policy: Int32Array, numPositions: number, { begin, end }: Span): Int32Array {
  return policy.map((step) => {
    const { stage, time } = stageAndTime(step, end - begin);
    return stage * numPositions + begin + time;
  });
}

/** What a policy for all steps comes to within a span: in each stage a call where the span begins, then the policy's own. */
export function policyWithin(
  policy: Int32Array,
  numPositions: number,
  numStages: number,
  { begin, end }: Span,
): Int32Array {
  const own = Array.from(policy, (step) => stageAndTime(step, numPositions));
  return Int32Array.from(
    Array.from({ length: numStages }, (_, stage) => [
      begin,
      ...own
        .filter((call) => call.stage === stage && call.time > begin && call.time < end)
        .map(({ time }) => time),
    ]).flatMap((times, stage) => times.map((time) => stage * numPositions + time)),
  );
}
