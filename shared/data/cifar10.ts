import { UserError } from '../errors.js';
import type { Split } from './dataset.js';

export const CIFAR10_SIDE = 32;
export const CIFAR10_PIXELS = CIFAR10_SIDE * CIFAR10_SIDE;
/** A label and three planes. */
export const CIFAR10_RECORD_BYTES = 1 + 3 * CIFAR10_PIXELS;

/**
 * The images of CIFAR-10's binary batches, one batch after another. A record is a label (left out) and 32x32 planes of red, green and
 * blue; an example is height, width, channel.
 *
 * @param batches the bytes of each file, with its name for errors
 * @throws UserError when a file is empty or ends inside a record
 */
export function cifar10Split(batches: readonly { name: string; bytes: Uint8Array }[]): Split {
  for (const { name, bytes } of batches) {
    if (bytes.length === 0 || bytes.length % CIFAR10_RECORD_BYTES !== 0) {
      throw new UserError(
        `${name} is no CIFAR-10 batch: ${bytes.length} bytes are not whole records of ${CIFAR10_RECORD_BYTES}`,
      );
    }
  }
  const records = batches.flatMap(({ bytes }) =>
    Array.from({ length: bytes.length / CIFAR10_RECORD_BYTES }, (_, i) =>
      bytes.subarray(i * CIFAR10_RECORD_BYTES, (i + 1) * CIFAR10_RECORD_BYTES),
    ),
  );
  return {
    count: records.length,
    read(index, into) {
      const record = records[index]!;
      for (let i = 0; i < CIFAR10_PIXELS; i++) {
        for (let channel = 0; channel < 3; channel++) {
          into[i * 3 + channel] = record[1 + channel * CIFAR10_PIXELS + i]!;
        }
      }
    },
  };
}
