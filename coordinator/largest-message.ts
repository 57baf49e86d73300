import type { Config } from '../shared/config/schema.js';
import { MAX_HEADER_BYTES } from '../shared/protocol/codec.js';

/** Bytes of the largest frame that a worker has reason to send, or nearly: ZeroMQ cuts the connection of whoever announces more. */
export function largestFrameBytes(
  { workers, training, evaluation, samples }: Config,
  exampleBytes: number,
): number {
  return Math.max(
    2 * MAX_HEADER_BYTES,
    workers.bucketBytes,
    8 * training.batch,
    8 * evaluation.batch,
    samples.batch * exampleBytes,
  );
}
