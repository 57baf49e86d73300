import { TreeSum, subtreesOf, type TreeNode, type TreeStep } from '../shared/exchange/tree.js';
import type { Lanes } from './lanes.js';

/** A subtree's sum, ready to be sent, with the statistics of its examples in slice order. */
export interface SubtreeSum {
  readonly node: TreeNode;
  readonly buffer: SharedArrayBuffer;
  readonly timeSteps: Int32Array;
  readonly logLikelihoods: Float64Array;
}

export interface Deal {
  readonly step: number;
  readonly begin: number;
  readonly end: number;
  readonly examples: Uint8Array;
}

export interface SliceCallbacks {
  readonly take: () => SharedArrayBuffer;
  readonly give: (buffer: SharedArrayBuffer) => void;
  readonly done: (sum: SubtreeSum) => void;
  /** A slice took so long. */
  readonly computed?: (seconds: number) => void;
  readonly nonfinite: (slice: number, tensor: string) => void;
}

/**
 * Computes the slices of a deal on the lanes and sums them along the fixed tree, as far as the deal covers it.
 * At a gradient that is not finite, or when `signal` is aborted, the rest of the deal is given up.
 */
export async function computeDeal(
  deal: Deal,
  sliceSize: number,
  lanes: Pick<Lanes, 'run' | 'count'>,
  signal: AbortSignal,
  callbacks: SliceCallbacks,
): Promise<void> {
  const { step, begin, end, examples } = deal;
  const { take, give, done, computed, nonfinite } = callbacks;
  const tree = new TreeSum<SharedArrayBuffer>(subtreesOf(begin, end));
  const sliceBytes = examples.byteLength / (end - begin);
  const timeSteps = new Int32Array((end - begin) * sliceSize);
  const logLikelihoods = new Float64Array((end - begin) * sliceSize);
  const climb = async (next: TreeStep<SharedArrayBuffer>): Promise<void> => {
    while (next.kind === 'merge') {
      const { left, right, parent } = next;
      await lanes.run('merge', { step, parent, left, right }, true);
      give(right);
      next = tree.put(parent, left);
    }
    if (next.kind !== 'goal') return;
    if (signal.aborted) return give(next.value);
    const { node, value } = next;
    const first = ((node.index << node.level) - begin) * sliceSize;
    const last = first + (sliceSize << node.level);
    done({
      node,
      buffer: value,
      timeSteps: timeSteps.slice(first, last),
      logLikelihoods: logLikelihoods.slice(first, last),
    });
  };
  const compute = async (slice: number): Promise<void> => {
    const gradients = take();
    const nth = slice - begin;
    const result = await lanes.run('slice', {
      step,
      slice,
      examples: examples.slice(nth * sliceBytes, (nth + 1) * sliceBytes),
      gradients,
    });
    computed?.(result.seconds);
    if (signal.aborted) return give(gradients);
    if (result.nonfinite !== undefined) {
      give(gradients);
      return nonfinite(slice, result.nonfinite);
    }
    timeSteps.set(result.timeSteps, nth * sliceSize);
    logLikelihoods.set(result.logLikelihoods, nth * sliceSize);
    await climb(tree.put({ level: 0, index: slice }, gradients));
  };
  // As many at a time as there are lanes, in order: subtrees complete early and few buffers are in use.
  let next = begin;
  const series = async () => {
    while (next < end && !signal.aborted) await compute(next++);
  };
  await Promise.all(Array.from({ length: lanes.count }, series));
  if (signal.aborted) tree.drain().forEach(give);
}
