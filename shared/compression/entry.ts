import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { CompressionError } from './error.js';
import { COVERAGE_KINDS, type CoverageKind } from './file-coder.js';

/** Any file of a compressed file. */
interface File {
  /** Without folders. */
  readonly name: string;
  /** Of the original, in bytes. */
  readonly length: number;
  /** CRC-32C of the original. */
  readonly crc: number;
}

/** A file as it is, or packed by brotli. */
export interface PlainEntry extends File {
  readonly method: 'stored' | 'brotli';
  readonly body: Uint8Array;
}

/** A file as examples of the model and the rest. */
export interface ModelEntry extends File {
  readonly method: CoverageKind;
  /** Examples passed over since the entry before: what follows has its place, and so its order, after them. */
  readonly skipped: number;
  /** One for each example. */
  readonly streams: readonly Uint8Array[];
  /** Which variables lie outside the file: see `packAbsent`. */
  readonly absent: Uint8Array;
  readonly rest: Uint8Array;
}

export type Entry = PlainEntry | ModelEntry;

export const isPlain = (entry: Entry): entry is PlainEntry =>
  entry.method === 'stored' || entry.method === 'brotli';

/** Of one file: more would take years. */
export const MAX_EXAMPLES = 2 ** 22;

/** Their places stand in compressed files. */
const METHODS = ['stored', 'brotli', ...COVERAGE_KINDS] as const;

/** What comes before an entry's body: all that tells where the parts of the body are. */
export function writeIndex(entry: Entry): Uint8Array {
  const writer = new ByteWriter().text(entry.name).number(entry.length).word(entry.crc);
  writer.number(METHODS.indexOf(entry.method));
  if (entry.method === 'stored') return writer.finish();
  if (isPlain(entry)) return writer.number(entry.body.length).finish();
  writer.number(entry.skipped).sized(entry.absent).number(entry.rest.length).number(entry.streams.length);
  for (const { length } of entry.streams) writer.number(length);
  return writer.finish();
}

/** What comes after the index. */
export const bodyOf = (entry: Entry): readonly Uint8Array[] =>
  isPlain(entry) ? [entry.body] : [entry.rest, ...entry.streams];

/**
 * Reads an index, then what it tells of.
 *
 * @param where begins every error
 * @param left bytes that the original may have
 * @param take gives the next bytes of the file
 * @throws CompressionError
 */
export async function readEntry(
  index: Uint8Array,
  { where, left }: { readonly where: string; readonly left: number },
  take: (length: number) => Promise<Uint8Array>,
): Promise<Entry> {
  const reader = new ByteReader(index, where);
  const file = {
    name: reader.text('a name'),
    length: reader.number('a length'),
    crc: reader.word(),
  };
  if (file.length > left)
    throw new CompressionError(
      `${file.name} is to have ${file.length} bytes, and ${left} are left of what --max-size allows: raise it if you trust the file`,
    );
  const takeBody = async (length: number) => {
    if (length > file.length) throw reader.error(`has ${length} packed bytes for a file of ${file.length}`);
    return take(length);
  };
  const method = METHODS[reader.number('a method', METHODS.length - 1)]!;
  if (method === 'stored' || method === 'brotli') {
    const length = method === 'stored' ? file.length : reader.number('a packed length');
    reader.end();
    return { ...file, method, body: await takeBody(length) };
  }
  const skipped = reader.number('a number of examples passed over', 2 ** 32);
  const absent = reader.sized('what is absent');
  const restLength = reader.number('a length of the rest');
  const count = reader.number('a number of examples', MAX_EXAMPLES);
  const lengths: number[] = [];
  while (lengths.length < count) lengths.push(reader.number('a length of a stream'));
  reader.end();
  const body = await takeBody(lengths.reduce((sum, length) => sum + length, restLength));
  const rest = body.subarray(0, restLength);
  let at = restLength;
  const streams = lengths.map((length) => body.subarray(at, (at += length)));
  return { ...file, method, skipped, absent, rest, streams };
}
