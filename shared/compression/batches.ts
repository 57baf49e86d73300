import { allocateClasses, type Classes } from '../method/classes.js';
import { sizeOfExample, type CoverageModel, type FileCoder } from './file-coder.js';

/** Thousands of small images: their batches are full but for the last. */
export const GROUP_BYTES = 2 ** 27;

/** An example that is to be decoded. */
export interface Coded {
  /** Its place in the compressed file. */
  readonly place: number;
  readonly stream: Uint8Array;
  /** 1 where a variable is not coded; absent: all are. */
  readonly absent?: Uint8Array;
}

/**
 * Codes examples batch by batch, a stream each.
 *
 * @param first the place of the first one, a multiple of the batch
 * @param absent 1 where a variable is not coded; absent: all are
 */
export async function encodeExamples(
  coder: FileCoder,
  first: number,
  examples: Classes,
  absent?: Uint8Array,
): Promise<Uint8Array[]> {
  const { batch } = coder.plan;
  const batchSize = batch * sizeOfExample(coder.model);
  const streams: Uint8Array[] = [];
  for (let from = 0; from < examples.length; from += batchSize) {
    const end = from + batchSize;
    const of = [examples.subarray(from, end), absent?.subarray(from, end)] as const;
    streams.push(...(await coder.encode(first + streams.length, ...of)));
  }
  return streams;
}

/**
 * Decodes examples batch by batch, in the batches in which they were encoded, one after another; places in between hold no variables.
 *
 * @param coded by increasing places
 */
export async function* decodeExamples(coder: FileCoder, coded: readonly Coded[]): AsyncGenerator<Classes> {
  const size = sizeOfExample(coder.model);
  for (const batch of batchesOf(coded, coder.plan.batch)) {
    const first = batch[0]!.place - (batch[0]!.place % coder.plan.batch);
    const numSlots = batch.at(-1)!.place - first + 1;
    const streams = new Array<Uint8Array>(numSlots).fill(new Uint8Array());
    const isWhole = batch.length === numSlots && !batch.some(({ absent }) => absent);
    const absent = isWhole ? undefined : new Uint8Array(numSlots * size).fill(1);
    for (const { place, stream, absent: some } of batch) {
      const slot = place - first;
      streams[slot] = stream;
      if (some) absent!.set(some, slot * size);
      else absent?.fill(0, slot * size, (slot + 1) * size);
    }
    const examples = await coder.decode(first, streams, absent);
    for (const { place } of batch)
      yield examples.subarray((place - first) * size, (place - first + 1) * size);
  }
}

/** How many calls of the decoder these take. */
export const numBatches = (coded: readonly Coded[], batch: number): number => batchesOf(coded, batch).length;

function batchesOf(coded: readonly Coded[], batch: number): Coded[][] {
  const batches: Coded[][] = [];
  let latest = -1;
  for (const each of coded) {
    const number = Math.floor(each.place / batch);
    if (number === latest) batches.at(-1)!.push(each);
    else batches.push([each]);
    latest = number;
  }
  return batches;
}

/** The next examples, in one array. */
export async function collect(
  decoded: AsyncGenerator<Classes>,
  count: number,
  model: CoverageModel,
): Promise<Classes> {
  const size = sizeOfExample(model);
  const examples = allocateClasses(model.numClasses, count * size);
  for (let i = 0; i < count; i++) examples.set((await decoded.next()).value as Classes, i * size);
  return examples;
}
