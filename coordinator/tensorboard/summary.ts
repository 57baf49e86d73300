import type { Histogram } from './histogram.js';
import { bytes, double, doubles, float, integer, message } from './protobuf.js';

/** Values of a Summary (tensorboard/compat/proto/summary.proto), each under a tag. */

const VALUE = { tag: 1, scalar: 2, image: 4, histogram: 5, audio: 6, tensor: 8, metadata: 9 } as const;
/** DT_STRING of TensorProto, DATA_CLASS_TENSOR of SummaryMetadata. */
const [STRING, TENSOR] = [7, 2];

export type SummaryValue = Uint8Array;

export function scalar(tag: string, value: number): SummaryValue {
  return message(bytes(VALUE.tag, tag), float(VALUE.scalar, value));
}

/** @param png grey or RGB, 8 bits */
export function image(tag: string, png: Uint8Array): SummaryValue {
  const header = new DataView(png.buffer, png.byteOffset);
  const [width, height, colours] = [header.getUint32(16), header.getUint32(20), header.getUint8(25)];
  const content = message(
    integer(1, height),
    integer(2, width),
    integer(3, colours === 2 ? 3 : 1),
    bytes(4, png),
  );
  return message(bytes(VALUE.tag, tag), bytes(VALUE.image, content));
}

/** @param wav 16 bits, one channel */
export function audio(tag: string, wav: Uint8Array, sampleRate: number, length: number): SummaryValue {
  const content = message(
    float(1, sampleRate),
    integer(2, 1),
    integer(3, length),
    bytes(4, wav),
    bytes(5, 'audio/wav'),
  );
  return message(bytes(VALUE.tag, tag), bytes(VALUE.audio, content));
}

/** TensorBoard takes it for Markdown: four spaces before each line let it stand as it is. */
export function text(tag: string, content: string): SummaryValue {
  const shown = content.replace(/^/gm, '    ');
  const shape = bytes(2, integer(1, 1));
  const tensor = message(integer(1, STRING), bytes(2, shape), bytes(8, shown));
  const metadata = message(bytes(1, bytes(1, 'text')), integer(4, TENSOR));
  return message(bytes(VALUE.tag, tag), bytes(VALUE.tensor, tensor), bytes(VALUE.metadata, metadata));
}

export function histogram(tag: string, of: Histogram): SummaryValue {
  const content = message(
    double(1, of.min),
    double(2, of.max),
    double(3, of.count),
    double(4, of.sum),
    double(5, of.sumOfSquares),
    doubles(6, of.limits),
    doubles(7, of.counts),
  );
  return message(bytes(VALUE.tag, tag), bytes(VALUE.histogram, content));
}
