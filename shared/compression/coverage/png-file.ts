import { crc32 } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const HEADER_BYTES = 13;
/** Length, name and CRC of a chunk. */
const FRAME_BYTES = 12;
/** Of IHDR after the sizes: 8 bits a channel, then the only compression and filter method, and no interlacing. */
const DEPTH = 8;

/** An 8-bit PNG file without interlacing, as its parts. */
export interface PngFile {
  readonly width: number;
  readonly height: number;
  readonly colorType: number;
  /** The chunks between IHDR and the first IDAT. */
  readonly before: Uint8Array;
  /** The zlib stream that the IDAT chunks hold together, and how many bytes each has of it. */
  readonly stream: Uint8Array;
  readonly chunkSizes: readonly number[];
  /** All that follows the last IDAT. */
  readonly after: Uint8Array;
}

/** Undefined where `writePng` would not give the same bytes. */
export function readPng(bytes: Uint8Array): PngFile | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = SIGNATURE.length + FRAME_BYTES + HEADER_BYTES;
  if (file.length < start || !file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  const isData = ({ name }: Chunk): boolean => name === 'IDAT';
  let before = start;
  for (let chunk = readChunk(file, before); chunk && !isData(chunk); chunk = readChunk(file, before))
    before = chunk.end;
  const data: Uint8Array[] = [];
  let after = before;
  for (let chunk = readChunk(file, after); chunk && isData(chunk); chunk = readChunk(file, after)) {
    data.push(chunk.data);
    after = chunk.end;
  }
  const png = {
    width: file.readUInt32BE(16),
    height: file.readUInt32BE(20),
    colorType: file[25]!,
    before: file.subarray(start, before),
    stream: Buffer.concat(data),
    chunkSizes: data.map(({ length }) => length),
    after: file.subarray(after),
  };
  return file.equals(writePng(png)) ? png : undefined;
}

export function writePng({
  width,
  height,
  colorType,
  before,
  stream,
  chunkSizes,
  after,
}: PngFile): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = DEPTH;
  header[9] = colorType;
  let at = 0;
  const data = chunkSizes.map((size) => writeChunk('IDAT', stream.subarray(at, (at += size))));
  return Buffer.concat([SIGNATURE, writeChunk('IHDR', header), before, ...data, after]);
}

/** What follows the last IDAT of most files. */
export const USUAL_END = writeChunk('IEND', new Uint8Array());

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** Undefined where the file ends before. */
function readChunk(file: Buffer, at: number): Chunk | undefined {
  if (file.length - at < FRAME_BYTES) return undefined;
  const size = file.readUInt32BE(at);
  const end = at + FRAME_BYTES + size;
  if (end > file.length) return undefined;
  return { name: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, at + 8 + size), end };
}

function writeChunk(name: string, data: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(FRAME_BYTES + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(name, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), 8 + data.length);
  return chunk;
}
