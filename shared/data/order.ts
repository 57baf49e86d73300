import { UsageError } from '../errors.js';
import { PURPOSE, stream } from '../random/philox.js';

/**
 * The epoch (0-based) that a step (0-based) belongs to: floor(numExamples / batch) steps an epoch, the remainder dropped.
 *
 * @throws UsageError when the batch is larger than the set
 */
export function epochOf(numExamples: number, batch: number, step: number): number {
  if (batch > numExamples) {
    throw new UsageError(
      `training.batch is ${batch}, more than the ${numExamples} examples of the training split: choose at most ${numExamples}`,
    );
  }
  return Math.floor(step / Math.floor(numExamples / batch));
}

/**
 * The examples of a step, `batch` long: a slice of the epoch's permutation, which is a function of (seed, epoch) alone. Within an epoch
 * no example comes twice.
 *
 * @throws UsageError when the batch is larger than the set
 */
export function batchIndices(seed: number, numExamples: number, batch: number, step: number): Int32Array {
  const epoch = epochOf(numExamples, batch, step);
  const first = (step - epoch * Math.floor(numExamples / batch)) * batch;
  return permutation(seed, epoch, numExamples).slice(first, first + batch);
}

let latest: { seed: number; epoch: number; indices: Int32Array } | undefined;

/** A uniform permutation of 0..numExamples-1 (Fisher-Yates); the latest is kept, for all the steps of its epoch. */
function permutation(seed: number, epoch: number, numExamples: number): Int32Array {
  if (latest?.seed === seed && latest.epoch === epoch && latest.indices.length === numExamples) {
    return latest.indices;
  }
  const random = stream(seed, PURPOSE.shuffle, epoch);
  const indices = Int32Array.from({ length: numExamples }, (_, i) => i);
  for (let i = numExamples - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [indices[i], indices[j]] = [indices[j]!, indices[i]!];
  }
  latest = { seed, epoch, indices };
  return indices;
}
