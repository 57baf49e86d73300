import { zlibSync, type DeflateOptions } from 'fflate';
import { Deflate } from 'pako';
import type { ByteReader } from '../byte-reader.js';
import type { ByteWriter } from '../byte-writer.js';

/**
 * The compressors that write most PNG files: zlib, zlib as Chromium, Node and their kind change it, and fflate. All run here as JavaScript, at a pinned
 * version: that of the machine at hand may differ from the one next door. Their places stand in compressed files: append only.
 */
const PROGRAMS = ['zlib', 'chromium', 'fflate'] as const;

/** What a zlib stream was made with. */
export interface Deflater {
  readonly program: (typeof PROGRAMS)[number];
  /** 0..9 */
  readonly level: number;
  /** zlib's further settings; fflate has none. 0..4, 1..9 and 9..15. */
  readonly strategy: number;
  readonly memLevel: number;
  readonly windowBits: number;
}

/** Z_DEFAULT_STRATEGY and Z_FILTERED. */
const MATCHING_STRATEGIES = [0, 1];
/** Z_HUFFMAN_ONLY and Z_RLE, which search for no matches and so know no level; Z_FIXED. */
const PLAIN_STRATEGIES = [2, 3];
const FIXED = 4;
/** The most usual ones first. The rare ones are tried for small files alone: a large one would take seconds. */
const MEM_LEVELS = [8, 9];
const RARE_MEM_LEVELS = [7, 6, 5, 4, 3, 2, 1];
const SMALL_BYTES = 2 ** 15;
const LEVELS = [6, 9, 1, 2, 3, 4, 5, 7, 8];
const MAX_WINDOW_BITS = 15;
/** Small enough that a wrong guess is soon found, large enough that the calls cost nothing. */
const SLICE_BYTES = 2 ** 16;

/**
 * Finds what a zlib stream was made with from the bytes it holds; the window size and the class of levels that its header states are believed.
 * Undefined where none of the known compressors gives the same bytes after the header.
 */
export function findDeflater(stream: Uint8Array, bytes: Uint8Array): Deflater | undefined {
  for (const deflater of candidates(stream[0]!, stream[1]!, bytes.length))
    if (gives(deflater, bytes, stream)) return deflater;
  return undefined;
}

/** A zlib stream of bytes. */
export function deflate(deflater: Deflater, bytes: Uint8Array): Uint8Array {
  if (deflater.program === 'fflate')
    return zlibSync(bytes, { level: deflater.level as DeflateOptions['level'] });
  const stream = start(deflater);
  stream.push(bytes, true);
  return stream.result;
}

export function writeDeflater(writer: ByteWriter, deflater: Deflater): void {
  const { program, level, strategy, memLevel, windowBits } = deflater;
  writer.number(PROGRAMS.indexOf(program) * 10 + level);
  if (program !== 'fflate') writer.number(strategy * 9 + memLevel - 1).number(MAX_WINDOW_BITS - windowBits);
}

/** @throws CompressionError */
export function readDeflater(reader: ByteReader): Deflater {
  const programAndLevel = reader.number('a compressor', PROGRAMS.length * 10 - 1);
  const program = PROGRAMS[Math.floor(programAndLevel / 10)]!;
  const level = programAndLevel % 10;
  if (program === 'fflate') return { program, level, ...UNUSED };
  const settings = reader.number('settings', 5 * 9 - 1);
  const windowBits = MAX_WINDOW_BITS - reader.number('a window', MAX_WINDOW_BITS - 9);
  return { program, level, strategy: Math.floor(settings / 9), memLevel: (settings % 9) + 1, windowBits };
}

const UNUSED = { strategy: 0, memLevel: 8, windowBits: MAX_WINDOW_BITS } as const;

function* candidates(compression: number, flags: number, numBytes: number): Generator<Deflater> {
  const levelClass = flags >> 6;
  const stated = Math.min(MAX_WINDOW_BITS, Math.max(9, (compression >> 4) + 8));
  // libpng states a smaller window than it had where the image is small.
  const windows = new Set([stated, Math.min(stated + 1, MAX_WINDOW_BITS), MAX_WINDOW_BITS]);
  for (const level of fflateLevels(levelClass)) yield { program: 'fflate', level, ...UNUSED };
  const memLevels = numBytes <= SMALL_BYTES ? [...MEM_LEVELS, ...RARE_MEM_LEVELS] : MEM_LEVELS;
  for (const memLevel of memLevels) {
    for (const windowBits of windows) {
      for (const program of ['zlib', 'chromium'] as const) {
        for (const [level, strategy] of zlibLevels(levelClass))
          yield { program, level, strategy, memLevel, windowBits };
      }
    }
  }
}

/** Levels and strategies of which zlib's header states a class. */
function zlibLevels(levelClass: number): readonly (readonly [level: number, strategy: number])[] {
  const stated = [0, ...LEVELS].filter((level) => classOfZlib(level) === levelClass);
  const matching = stated.flatMap((level) =>
    MATCHING_STRATEGIES.map((strategy) => [level, strategy] as const),
  );
  if (levelClass > 0) return matching;
  return [
    ...matching,
    ...PLAIN_STRATEGIES.map((strategy) => [6, strategy] as const),
    ...LEVELS.map((level) => [level, FIXED] as const),
  ];
}

const classOfZlib = (level: number): number => (level < 2 ? 0 : level < 6 ? 1 : level === 6 ? 2 : 3);

const fflateLevels = (levelClass: number): readonly number[] =>
  [3, 6, 9, 0, 1, 2, 4, 5, 7, 8].filter(
    (level) => (level === 0 ? 0 : level < 6 ? 1 : level === 9 ? 3 : 2) === levelClass,
  );

/** Whatever the bytes, a compressor's streams begin alike; some programs rewrite that. */
export const HEADER_BYTES = 2;
export const headerOf = (deflater: Deflater): Uint8Array =>
  deflate(deflater, new Uint8Array()).subarray(0, HEADER_BYTES);

/** Whether a compressor gives a stream, but for its header. */
function gives(deflater: Deflater, bytes: Uint8Array, expected: Uint8Array): boolean {
  if (deflater.program === 'fflate') {
    return (
      Buffer.compare(deflate(deflater, bytes).subarray(HEADER_BYTES), expected.subarray(HEADER_BYTES)) === 0
    );
  }
  const stream = start(deflater);
  let at = 0;
  let isEqual = true;
  stream.onData = (chunk) => {
    const skipped = Math.max(0, HEADER_BYTES - at);
    const own = chunk.subarray(skipped);
    isEqual &&= Buffer.compare(own, expected.subarray(at + skipped, at + chunk.length)) === 0;
    at += chunk.length;
  };
  stream.onEnd = () => {};
  for (let from = 0; from < bytes.length && isEqual; from += SLICE_BYTES) {
    const slice = bytes.subarray(from, from + SLICE_BYTES);
    stream.push(slice, from + SLICE_BYTES >= bytes.length);
  }
  return isEqual && at === expected.length;
}

const start = ({ program, level, strategy, memLevel, windowBits }: Deflater): Deflate =>
  new Deflate({
    level,
    strategy: strategy as 0,
    memLevel,
    windowBits,
    legacyHash: program === 'zlib',
  });
