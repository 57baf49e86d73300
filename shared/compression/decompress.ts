import type { Classes } from '../method/classes.js';
import { collect, decodeExamples, GROUP_BYTES, numBatches, type Coded } from './batches.js';
import { isPlain, type Entry, type ModelEntry } from './entry.js';
import { sizeOfExample, type Coverage, type FileCoder } from './file-coder.js';
import { checked, codedOf, restorePlain, type NamedFile } from './restore.js';

export interface DecompressOptions {
  /** Names the compressed file in errors. */
  readonly of: string;
  /** Called once, when the first entry needs it. */
  readonly openCoder: () => Promise<FileCoder>;
  readonly coverage: Coverage;
  /** Bytes that the variables of one file may take. */
  readonly maxSize: number;
  /** What is held in memory at once, in about, unless one file is larger: originals and examples. */
  readonly groupBytes?: number;
  /** Tells how many calls of the decoder are next. */
  readonly onBatches?: (numBatches: number) => void;
}

/** An entry with the place of its first example; one that needs no model has none. */
export interface Placed<E extends Entry = Entry> {
  readonly entry: E;
  readonly place: number;
}

/**
 * The original files, each as soon as it is there, in their order.
 *
 * @throws CompressionError where one would not come back as it was; it is not given
 */
export async function* decompressFiles(
  entries: AsyncIterable<Entry>,
  options: DecompressOptions,
): AsyncGenerator<NamedFile> {
  const { groupBytes = GROUP_BYTES } = options;
  let coder: FileCoder | undefined;
  let group: Placed[] = [];
  let heldBytes = 0;
  for await (const each of placed(entries)) {
    if (!isPlain(each.entry)) coder ??= await options.openCoder();
    group.push(each);
    heldBytes += bytesHeld(each.entry, coder);
    if (heldBytes < groupBytes) continue;
    yield* restoreGroup(group, coder, options);
    [group, heldBytes] = [[], 0];
  }
  yield* restoreGroup(group, coder, options);
}

function bytesHeld(entry: Entry, coder: FileCoder | undefined): number {
  return entry.length + (isPlain(entry) ? 0 : entry.streams.length * sizeOfExample(coder!.model));
}

/** Gives each entry its place. */
export async function* placed(entries: AsyncIterable<Entry>): AsyncGenerator<Placed> {
  let next = 0;
  for await (const entry of entries) {
    const place = isPlain(entry) ? next : next + entry.skipped;
    yield { entry, place };
    if (!isPlain(entry)) next = place + entry.streams.length;
  }
}

/** An entry with the numbers that its examples have where they are counted through all files; one without any counts for one. */
export interface Numbered {
  readonly placed: Placed;
  readonly first: number;
  readonly end: number;
}

/** Numbers the examples of entries. */
export async function* numbered(entries: AsyncIterable<Entry>): AsyncGenerator<Numbered> {
  let first = 0;
  for await (const each of placed(entries)) {
    const end = first + (isPlain(each.entry) ? 1 : Math.max(1, each.entry.streams.length));
    yield { placed: each, first, end };
    first = end;
  }
}

/** The originals of entries that stand one after another. The coder is there if one of them needs it. */
export async function* restoreGroup(
  group: readonly Placed[],
  coder: FileCoder | undefined,
  options: DecompressOptions,
): AsyncGenerator<NamedFile> {
  const { of, coverage, onBatches } = options;
  const coded: Coded[] = [];
  for (const { entry, place } of group)
    if (!isPlain(entry)) coded.push(...codedOf(entry, place, coder!.model, options));
  if (coder && coded.length > 0) onBatches?.(numBatches(coded, coder.plan.batch));
  const decoded = coder && decodeExamples(coder, coded);
  for (const { entry } of group) {
    if (isPlain(entry)) {
      yield await restorePlain(entry, of);
      continue;
    }
    const examples = await collect(decoded!, entry.streams.length, coder!.model);
    const bytes = await coverage.uncover(entry.method, entry.rest, examples, coder!.model);
    yield checked(entry, bytes, of);
  }
}

/** One example of an entry, decoded alone. */
export async function decodeOne(
  { entry, place }: Placed<ModelEntry>,
  i: number,
  coder: FileCoder,
  options: DecompressOptions,
): Promise<{ readonly example: Classes; readonly absent?: Uint8Array }> {
  const coded = codedOf(entry, place, coder.model, options)[i]!;
  options.onBatches?.(1);
  const { value } = await decodeExamples(coder, [coded]).next();
  return { example: value as Classes, ...(coded.absent && { absent: coded.absent }) };
}
