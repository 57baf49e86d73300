import { CIFAR10_PIXELS, CIFAR10_RECORD_BYTES, CIFAR10_SIDE } from '../../data/cifar10.js';
import { ByteWriter } from '../byte-writer.js';
import type { Format } from './format.js';
import { isByteImage } from './media.js';

const NUM_LABELS = 10;

/** Calls with the place of each value in a batch and its place in images of the order height, width, channel. */
function eachValue(count: number, onValue: (inBatch: number, inImages: number) => void): void {
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const plane = i * CIFAR10_RECORD_BYTES + 1 + channel * CIFAR10_PIXELS;
      const first = i * 3 * CIFAR10_PIXELS + channel;
      for (let pixel = 0; pixel < CIFAR10_PIXELS; pixel++) onValue(plane + pixel, first + pixel * 3);
    }
  }
}

/** A binary batch of CIFAR-10, which is told by its length and labels alone; the rest: a label an image. */
export const cifar10Format: Format = {
  kind: 'cifar10',
  fits: (model) => isByteImage(model, 3),
  take(bytes) {
    const count = bytes.length / CIFAR10_RECORD_BYTES;
    if (!Number.isInteger(count)) return undefined;
    const labels = bytes.filter((_, at) => at % CIFAR10_RECORD_BYTES === 0);
    if (labels.some((label) => label >= NUM_LABELS)) return undefined;
    const values = new Uint8Array(count * 3 * CIFAR10_PIXELS);
    eachValue(count, (inBatch, inImages) => (values[inImages] = bytes[inBatch]!));
    const images = { count, height: CIFAR10_SIDE, width: CIFAR10_SIDE };
    return { images, values, rest: new ByteWriter().bytes(labels) };
  },
  put(rest, _, join) {
    const labels = rest.bytes(rest.left);
    const count = labels.length;
    const values = join({ count, height: CIFAR10_SIDE, width: CIFAR10_SIDE });
    const bytes = new Uint8Array(count * CIFAR10_RECORD_BYTES);
    labels.forEach((label, i) => (bytes[i * CIFAR10_RECORD_BYTES] = label));
    eachValue(count, (inBatch, inImages) => (bytes[inBatch] = values[inImages]!));
    return bytes;
  },
};
