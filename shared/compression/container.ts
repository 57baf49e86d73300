import type { ByteSource } from './byte-source.js';
import { ByteWriter } from './byte-writer.js';
import { crc32c } from './crc32c.js';
import { bodyOf, readEntry, writeIndex, type Entry } from './entry.js';
import { CompressionError } from './error.js';
import { readHeader, writeHeader, type Header } from './header.js';

/** No text begins so, and a transfer as text would change it. */
const MAGIC = Uint8Array.of(0xad, 0x52, 0x44, 0x4d);
const FORMAT = 1;
/** The index of ten million examples is smaller. */
const MAX_BLOCK_BYTES = 2 ** 28;
/** An index of no bytes ends the file. */
const END = Uint8Array.of(0);

/** A block with its CRC-32C, which goes on from that of the block before: no block can be left out or come from elsewhere. */
function sealed(block: Uint8Array, before: number): readonly [bytes: Uint8Array, crc: number] {
  const crc = crc32c(block, before);
  return [new ByteWriter().sized(block).word(crc).finish(), crc];
}

/** The bytes of a compressed file (docs/format.md), each entry as soon as it comes. */
export async function* writeContainer(
  header: Header,
  entries: AsyncIterable<Entry>,
): AsyncGenerator<Uint8Array> {
  const [start, seal] = sealed(writeHeader(header), 0);
  yield Buffer.concat([MAGIC, Uint8Array.of(FORMAT), start]);
  let before = seal;
  for await (const entry of entries) {
    const [index, crc] = sealed(writeIndex(entry), before);
    yield index;
    yield* bodyOf(entry);
    before = crc;
  }
  yield END;
}

/** Bytes that an entry takes. */
export function sizeOf(entry: Entry): number {
  const [index] = sealed(writeIndex(entry), 0);
  return bodyOf(entry).reduce((sum, { length }) => sum + length, index.length);
}

/** A compressed file that is being read. */
export interface Container {
  readonly header: Header;
  /** To be gone through once. Throws CompressionError, after the entries before, where the file is damaged. */
  readonly entries: AsyncGenerator<Entry>;
}

/**
 * Reads the header.
 *
 * @param maxSize bytes that all originals may have together; an entry that would be too large is refused before it is read
 * @throws CompressionError where this is no compressed file, one of another format, or a damaged one
 */
export async function openContainer(source: ByteSource, maxSize = Infinity): Promise<Container> {
  const magic = await source.take(MAGIC.length).catch(() => undefined);
  if (!magic || Buffer.compare(magic, MAGIC) !== 0)
    throw new CompressionError(`${source.name} is no file that ardm compress wrote`);
  const format = await source.number();
  if (format !== FORMAT)
    throw new CompressionError(
      `${source.name} has format ${format}, and this ardm reads format ${FORMAT}: use the version that wrote it`,
    );
  const [block, seal] = await unsealed(source, 0, 'its header');
  const header = readHeader(block, `${source.name} is damaged: its header`);
  return { header, entries: entriesOf(source, seal, maxSize) };
}

async function* entriesOf(source: ByteSource, seal: number, maxSize: number): AsyncGenerator<Entry> {
  const names = new Set<string>();
  let left = maxSize;
  for (let before = seal; ;) {
    const [index, crc] = await unsealed(source, before, `the index of file ${names.size}`);
    if (index.length === 0) break;
    before = crc;
    const where = `${source.name} is damaged: the index of file ${names.size}`;
    const entry = await readEntry(index, { where, left }, (length) => source.take(length));
    left -= entry.length;
    if (names.has(entry.name))
      throw new CompressionError(`${source.name} is damaged: it has two files called ${entry.name}`);
    names.add(entry.name);
    yield entry;
  }
  if (!(await source.isAtEnd())) throw source.damaged('something follows its end');
}

async function unsealed(
  source: ByteSource,
  before: number,
  what: string,
): Promise<readonly [block: Uint8Array, crc: number]> {
  const length = await source.number();
  if (length > MAX_BLOCK_BYTES)
    throw source.damaged(`${what} is to have ${length} bytes, more than ${MAX_BLOCK_BYTES}`);
  const block = await source.take(length);
  if (block.length === 0) return [block, before];
  const crc = crc32c(block, before);
  const stated = await source.take(4);
  if (Buffer.from(stated).readUInt32LE() !== crc) throw source.damaged(`${what} has been altered`);
  return [block, crc];
}
