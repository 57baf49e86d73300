import type { Config } from '../shared/config/schema.js';
import type { Exchange } from '../shared/exchange/exchange.js';
import { MAX_HEADER_BYTES } from '../shared/protocol/codec.js';

/** Bytes of the largest frame that a worker has reason to send, or nearly: ZeroMQ cuts the connection of whoever announces more. */
export function largestFrameBytes(
  { workers, training, evaluation, samples }: Config,
  { buckets }: Exchange,
  exampleBytes: number,
): number {
  return Math.max(
    2 * MAX_HEADER_BYTES,
    // Of a state that is given back.
    workers.bucketBytes,
    ...buckets.map(({ bytes }) => bytes),
    8 * training.batch,
    8 * evaluation.batch,
    samples.batch * exampleBytes,
  );
}
