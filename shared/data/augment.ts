import type { Config } from '../config/schema.js';
import { UsageError } from '../errors.js';
import type { Classes } from '../method/classes.js';
import { PURPOSE, stream } from '../random/philox.js';

export type Augmentation = Config['data']['augment'];
type Shape = readonly [height: number, width: number, channels: number];

/**
 * Refuses what can't be: a rotation of images that aren't square.
 *
 * @throws UsageError
 */
export function checkAugmentation(mode: Augmentation, [height, width]: Shape): void {
  if (mode === 'flip-rotate' && height !== width) {
    throw new UsageError(
      `data.augment: flip-rotate needs square images, and these are ${height}x${width}: use flip`,
    );
  }
}

/**
 * Augments an example (height, width, channel bytes) in place, as published: a horizontal flip with probability 1/2, then, for
 * `flip-rotate`, a rotation by k quarter turns, k uniform in 0..3. The draw is a function of (seed, step, position in the batch).
 */
export function augment(
  example: Classes,
  shape: Shape,
  mode: Augmentation,
  key: { seed: number; step: number; position: number },
): void {
  if (mode === 'none') return;
  checkAugmentation(mode, shape);
  const random = stream(key.seed, PURPOSE.augment, key.step, key.position);
  if (random.below(2) === 1) flip(example, shape);
  if (mode === 'flip-rotate') rotate(example, shape, random.below(4));
}

/** Mirrors left and right. */
export function flip(example: Classes, [height, width, channels]: Shape): void {
  const source = example.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + (width - 1 - x)) * channels;
      example.set(source.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
}

/** Turns a square image counter-clockwise by `quarters` times 90 degrees. */
export function rotate(example: Classes, [side, , channels]: Shape, quarters: number): void {
  for (let turn = 0; turn < quarters; turn++) {
    const source = example.slice();
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const from = (x * side + (side - 1 - y)) * channels;
        example.set(source.subarray(from, from + channels), (y * side + x) * channels);
      }
    }
  }
}
