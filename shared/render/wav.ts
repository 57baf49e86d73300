import { UserError } from '../errors.js';

const HEADER_BYTES = 44;
const PCM = 1;
/** The format proper then stands in the first two bytes of the sub-format, 24 bytes into the chunk. */
const EXTENSIBLE = 0xfffe;
const FORMAT_NAMES: Record<number, string> = { 2: 'ADPCM', 3: 'floating-point', 6: 'A-law', 7: 'mu-law' };

export interface Clip {
  /** Hz. */
  readonly sampleRate: number;
  readonly samples: Int16Array;
}

/** A WAV file, PCM 16 bits, one channel. */
export function encodeWav(samples: Int16Array, sampleRate: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + samples.length * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(PCM, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, i) => bytes.writeInt16LE(sample, HEADER_BYTES + i * 2));
  return bytes;
}

/**
 * The samples of a WAV file, PCM 16 bits, one channel, whatever its rate; chunks beside `fmt ` and `data` are passed over.
 *
 * @param name for errors
 * @throws UserError that says what else the file holds, or where it is damaged
 */
export function decodeWav(bytes: Uint8Array, name: string): Clip {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') {
    throw new UserError(`${name} is no WAV file: it does not start with RIFF and WAVE`);
  }
  let sampleRate: number | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = tag(at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === 'fmt ' || id === 'data') {
      if (start + size > bytes.length) {
        throw new UserError(
          `${name} is cut off: its chunk "${id}" is to have ${size} bytes, and it has ${bytes.length - start}`,
        );
      }
      const chunk = new DataView(bytes.buffer, bytes.byteOffset + start, size);
      if (id === 'fmt ') sampleRate = readFormat(chunk, name);
      else if (sampleRate === undefined)
        throw new UserError(`${name} is damaged: no format before its samples`);
      else return { sampleRate, samples: readSamples(chunk, name) };
    }
    at = start + size + (size % 2);
  }
  throw new UserError(`${name} is damaged or cut off: it has no samples (no chunk "data")`);
}

/** The sample rate, when the rest is as it must be. */
function readFormat(chunk: DataView, name: string): number {
  if (chunk.byteLength < 16) {
    throw new UserError(`${name} is damaged: its chunk "fmt " has ${chunk.byteLength} bytes of at least 16`);
  }
  const outer = chunk.getUint16(0, true);
  const format = outer === EXTENSIBLE && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : outer;
  const channels = chunk.getUint16(2, true);
  const bits = chunk.getUint16(14, true);
  if (format !== PCM) {
    const held = FORMAT_NAMES[format] ?? `format ${format}`;
    throw new UserError(`${name} holds ${held} samples: convert it, e.g. with ffmpeg -c:a pcm_s16le`);
  }
  if (bits !== 16) {
    throw new UserError(
      `${name} has ${bits} bits a sample: convert it to 16, e.g. with ffmpeg -c:a pcm_s16le`,
    );
  }
  if (channels !== 1) {
    throw new UserError(`${name} has ${channels} channels: mix it down to one, e.g. with ffmpeg -ac 1`);
  }
  return chunk.getUint32(4, true);
}

function readSamples(chunk: DataView, name: string): Int16Array {
  if (chunk.byteLength === 0) throw new UserError(`${name} has no samples`);
  if (chunk.byteLength % 2 !== 0) {
    throw new UserError(
      `${name} is damaged: its ${chunk.byteLength} bytes of samples end within a sample of two`,
    );
  }
  return new Int16Array(chunk.byteLength / 2).map((_, i) => chunk.getInt16(i * 2, true));
}
