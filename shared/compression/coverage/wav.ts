import { classesOfSamples, NUM_LEVELS, samplesOfClasses } from '../../data/clips.js';
import { ByteWriter } from '../byte-writer.js';
import type { Format } from './format.js';

const HEADER_BYTES = 44;
const PCM = 1;
const EXTENSIBLE = 0xfffe;
const SAMPLE_BYTES = 2;
/** How the rest holds the bytes before the samples. */
const HEADER = { usual: 0, own: 1 } as const;

/**
 * A WAV file of 16-bit PCM at any sample rate, a sequence a channel. The rest: channels, samples of each, the sample rate where the header is the usual
 * one and else the bytes before the samples, and the bytes after them.
 */
export const wavFormat: Format = {
  kind: 'wav',
  fits: ({ medium, numClasses }) => medium.kind === 'audio' && numClasses === NUM_LEVELS,
  take(bytes) {
    const found = findSamples(bytes);
    if (!found) return undefined;
    const { begin, end, channels, sampleRate } = found;
    const length = Math.floor((end - begin) / (SAMPLE_BYTES * channels));
    const after = begin + length * channels * SAMPLE_BYTES;
    const rest = new ByteWriter().number(channels).number(length);
    const header = bytes.subarray(0, begin);
    const isUsual = Buffer.compare(usualHeader(channels, length, sampleRate), header) === 0;
    if (isUsual) rest.number(HEADER.usual).number(sampleRate);
    else rest.number(HEADER.own).sized(header);
    rest.bytes(bytes.subarray(after));
    const view = new DataView(bytes.buffer, bytes.byteOffset + begin);
    const samples = new Int16Array(length * channels);
    for (let i = 0; i < samples.length; i++) {
      const [frame, channel] = [i % length, Math.floor(i / length)];
      samples[i] = view.getInt16((frame * channels + channel) * SAMPLE_BYTES, true);
    }
    const images = { count: channels, height: 1, width: length };
    return { images, values: classesOfSamples(samples), rest };
  },
  put(rest, _, join) {
    const channels = rest.number('a number of channels', 2 ** 16 - 1);
    const length = rest.number('a number of samples');
    const samples = samplesOfClasses(join({ count: channels, height: 1, width: length }));
    const header =
      rest.number('a kind of header', HEADER.own) === HEADER.usual
        ? usualHeader(channels, length, rest.number('a sample rate', 2 ** 32 - 1))
        : rest.sized('a header');
    const body = Buffer.alloc(samples.length * SAMPLE_BYTES);
    samples.forEach((sample, i) => {
      const [frame, channel] = [i % length, Math.floor(i / length)];
      body.writeInt16LE(sample, (frame * channels + channel) * SAMPLE_BYTES);
    });
    return Buffer.concat([header, body, rest.bytes(rest.left)]);
  },
};

interface Found {
  /** The bytes of samples: from begin to before end. */
  readonly begin: number;
  readonly end: number;
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
}

/** Undefined where the file holds no 16-bit PCM. Samples that a wrong length promises and the file lacks are left out. */
function findSamples(bytes: Uint8Array): Found | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return undefined;
  let format: Pick<Found, 'channels' | 'sampleRate'> | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const begin = at + 8;
    const end = Math.min(begin + size, bytes.length);
    if (tag(at) === 'fmt ')
      format = readFormat(new DataView(bytes.buffer, bytes.byteOffset + begin, end - begin));
    if (tag(at) === 'data') return format && { begin, end, ...format };
    at = begin + size + (size % 2);
  }
  return undefined;
}

function readFormat(chunk: DataView): Pick<Found, 'channels' | 'sampleRate'> | undefined {
  if (chunk.byteLength < 16) return undefined;
  const outer = chunk.getUint16(0, true);
  // The format proper then stands in the first two bytes of the sub-format.
  const format = outer === EXTENSIBLE && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : outer;
  const channels = chunk.getUint16(2, true);
  if (format !== PCM || channels === 0 || chunk.getUint16(14, true) !== 16) return undefined;
  return { channels, sampleRate: chunk.getUint32(4, true) };
}

/** As most programs write it. */
function usualHeader(channels: number, length: number, sampleRate: number): Uint8Array {
  const frameBytes = channels * SAMPLE_BYTES;
  const header = Buffer.alloc(HEADER_BYTES);
  const word = (value: number, at: number): unknown => header.writeUInt32LE(value % 2 ** 32, at);
  header.write('RIFF', 0);
  word(HEADER_BYTES - 8 + length * frameBytes, 4);
  header.write('WAVEfmt ', 8);
  word(16, 16);
  header.writeUInt16LE(PCM, 20);
  header.writeUInt16LE(channels, 22);
  word(sampleRate, 24);
  word(sampleRate * frameBytes, 28);
  header.writeUInt16LE(frameBytes % 2 ** 16, 32);
  header.writeUInt16LE(8 * SAMPLE_BYTES, 34);
  header.write('data', 36);
  word(length * frameBytes, 40);
  return header;
}
