import { LowerEnvelope } from './lower-envelope.js';

/** Up to how many numbers `fill` keeps to walk back on: 16 MB. */
const KEPT = 2 ** 22;

/** The policy of `budget` calls, at most as many as there are components, that costs least; these are in decreasing order. */
export function cheapestPolicy(components: Float64Array, budget: number): Int32Array {
  const policy = new Int32Array(budget);
  fill(new LowerEnvelope(components), 0, components.length, policy);
  return policy;
}

/**
 * Fills in the best policy from step `begin` to `end`. Where all rows of the programme would take too much memory, each only carries
 * on which step was reached after half of the calls, and the two halves are planned by themselves: at most twice the time.
 */
function fill(envelope: LowerEnvelope, begin: number, end: number, policy: Int32Array): void {
  const numCalls = policy.length;
  // Row k, of k calls, is needed for the steps from begin + k on, these many of them.
  const width = end - begin - numCalls + 1;
  if (numCalls > 1 && numCalls * width > KEPT) {
    const half = numCalls >> 1;
    const middle = reachedAfter(half, envelope, begin, numCalls, width);
    fill(envelope, begin, middle, policy.subarray(0, half));
    fill(envelope, middle, end, policy.subarray(half));
    return;
  }
  const from = new Int32Array(numCalls * width);
  for (let k = 1; k <= numCalls; k++) {
    nextRow(envelope, begin, k, width);
    from.set(envelope.from.subarray(begin + k, begin + k + width), (k - 1) * width);
  }
  let step = end;
  for (let k = numCalls; k >= 1; k--) {
    step = from[(k - 1) * width + step - begin - k]!;
    policy[k - 1] = step;
  }
}

/** The step that the best `numCalls` calls from `begin` on, up to the last step of their row, reach with the first `half`. */
function reachedAfter(
  half: number,
  envelope: LowerEnvelope,
  begin: number,
  numCalls: number,
  width: number,
): number {
  let reached = Int32Array.from({ length: width }, (_, i) => begin + half + i);
  let next = new Int32Array(width);
  for (let k = 1; k <= numCalls; k++) {
    nextRow(envelope, begin, k, width);
    if (k <= half) continue;
    for (let i = 0; i < width; i++) next[i] = reached[envelope.from[begin + k + i]! - begin - (k - 1)]!;
    [reached, next] = [next, reached];
  }
  return reached[width - 1]!;
}

function nextRow(envelope: LowerEnvelope, begin: number, k: number, width: number): void {
  if (k === 1) envelope.start(begin, begin + width);
  else envelope.advance(begin + k - 1, begin + k + width - 2);
}
