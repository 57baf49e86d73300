import { allocateClasses } from '../method/classes.js';
import { packAbsent } from './absent.js';
import { sizeOf } from './container.js';
import { crc32c } from './crc32c.js';
import { collect, decodeExamples, encodeExamples, GROUP_BYTES, type Coded } from './batches.js';
import { isPlain, MAX_EXAMPLES, type Entry, type ModelEntry, type PlainEntry } from './entry.js';
import { CompressionError } from './error.js';
import { sizeOfExample, type Coverage, type Covered, type FileCoder } from './file-coder.js';
import { packPlain } from './plain.js';
import type { NamedFile } from './restore.js';

export interface CompressOptions {
  readonly coder: FileCoder;
  readonly coverage: Coverage;
  /** Whether each file is decompressed again, and goes without the model where it would not come back. */
  readonly verify: boolean;
  /** What is held in memory at once, in about, unless one file is larger: originals and examples. */
  readonly groupBytes?: number;
  /** Tells how many calls of the coder are next. */
  readonly onBatches?: (numBatches: number) => void;
  /** Tells of a file that would not have come back, and why. */
  readonly onMistake?: (name: string, why: string) => void;
}

interface Member {
  readonly file: NamedFile;
  /** Absent: the model can't code it. */
  readonly covered?: Covered;
}

/** Entries for files, in their order: by the model where that makes them smaller. Examples of small files share batches. */
export async function* compressFiles(
  files: AsyncIterable<NamedFile>,
  options: CompressOptions,
): AsyncGenerator<Entry> {
  const { batch } = options.coder.plan;
  let [place, next] = [0, 0];
  for await (const group of groupsOf(files, options)) {
    for await (const { entry, numExamples } of compressGroup(group, place, options)) {
      yield isPlain(entry) ? entry : { ...entry, skipped: place - next };
      place += numExamples;
      if (!isPlain(entry)) next = place;
    }
    // Each group starts a batch.
    place = Math.ceil(place / batch) * batch;
  }
}

async function* groupsOf(
  files: AsyncIterable<NamedFile>,
  { coder: { model }, coverage, groupBytes = GROUP_BYTES }: CompressOptions,
): AsyncGenerator<Member[]> {
  let group: Member[] = [];
  let heldBytes = 0;
  for await (const file of files) {
    const covered = await coverage.cover(file.bytes, model);
    const isSmall = covered && covered.examples.length / sizeOfExample(model) <= MAX_EXAMPLES;
    group.push({ file, ...(isSmall && { covered }) });
    heldBytes += file.bytes.length + (covered?.examples.byteLength ?? 0);
    if (heldBytes < groupBytes) continue;
    yield group;
    [group, heldBytes] = [[], 0];
  }
  yield group;
}

/** The entries of a group whose first example has a place, with how many places each takes, used or not. */
async function* compressGroup(
  group: readonly Member[],
  first: number,
  options: CompressOptions,
): AsyncGenerator<{ readonly entry: Entry; readonly numExamples: number }> {
  const { coder, verify, onBatches } = options;
  const { examples, absent } = joined(group, coder);
  const size = sizeOfExample(coder.model);
  const numBatches = Math.ceil(examples.length / size / coder.plan.batch);
  if (numBatches > 0) onBatches?.(verify ? 2 * numBatches : numBatches);
  const coded = (await encodeExamples(coder, first, examples, absent)).map((stream, i): Coded => ({
    place: first + i,
    stream,
    ...(absent && { absent: absent.subarray(i * size, (i + 1) * size) }),
  }));
  let decoded = decodeExamples(coder, coded);
  let at = 0;
  for (const { file, covered } of group) {
    const plain = await plainEntry(file);
    if (!covered) {
      yield { entry: plain, numExamples: 0 };
      continue;
    }
    const numExamples = covered.examples.length / size;
    const streams = coded.slice(at, (at += numExamples)).map(({ stream }) => stream);
    const mistake = verify && (await mistakeIn(file, covered, decoded, options));
    if (mistake) {
      options.onMistake?.(file.name, mistake);
      decoded = decodeExamples(coder, coded.slice(at));
    }
    const entry = modelEntry(file, covered, streams, coder);
    yield { entry: mistake || sizeOf(plain) <= sizeOf(entry) ? plain : entry, numExamples };
  }
}

/** All examples of a group, one after another. */
function joined(group: readonly Member[], { model }: FileCoder): Pick<Covered, 'examples' | 'absent'> {
  const all = group.flatMap(({ covered }) => covered ?? []);
  const examples = allocateClasses(
    model.numClasses,
    all.reduce((sum, { examples: { length } }) => sum + length, 0),
  );
  const absent = all.some((covered) => covered.absent) ? new Uint8Array(examples.length) : undefined;
  let at = 0;
  for (const covered of all) {
    examples.set(covered.examples, at);
    if (covered.absent) absent!.set(covered.absent, at);
    at += covered.examples.length;
  }
  return { examples, absent };
}

/** Why a file would not come back from its next examples; undefined where it does. */
async function mistakeIn(
  { bytes }: NamedFile,
  { kind, rest, examples }: Covered,
  decoded: ReturnType<typeof decodeExamples>,
  { coder, coverage }: CompressOptions,
): Promise<string | undefined> {
  try {
    const count = examples.length / sizeOfExample(coder.model);
    const back = await coverage.uncover(kind, rest, await collect(decoded, count, coder.model), coder.model);
    return Buffer.compare(back, bytes) === 0 ? undefined : 'other bytes come back';
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    return error.message;
  }
}

async function plainEntry({ name, bytes }: NamedFile): Promise<PlainEntry> {
  const file = { name, length: bytes.length, crc: crc32c(bytes) };
  const packed = await packPlain(bytes);
  const entries: readonly PlainEntry[] = [
    { ...file, method: 'stored', body: bytes },
    { ...file, method: 'brotli', body: packed },
  ];
  return sizeOf(entries[1]!) < sizeOf(entries[0]!) ? entries[1]! : entries[0]!;
}

const modelEntry = (
  { name, bytes }: NamedFile,
  { kind, absent, rest }: Covered,
  streams: readonly Uint8Array[],
  { model }: FileCoder,
): ModelEntry => ({
  ...{ name, length: bytes.length, crc: crc32c(bytes), method: kind, skipped: 0 },
  ...{ streams, absent: packAbsent(absent, model.shape), rest },
});
