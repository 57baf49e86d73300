import type { Split } from './dataset.js';

/** K of 16-bit audio. */
export const NUM_LEVELS = 65_536;
/** The class of a sample of 0, with which clips are padded. */
export const SILENCE = 32_768;

/** Samples -32768..32767 as classes 0..65535 (section 7.4). */
export function classesOfSamples(samples: Int16Array): Uint16Array {
  // Modulo 65,536, of which adding 32,768 flips the first bit.
  const classes = new Uint16Array(samples);
  for (let i = 0; i < classes.length; i++) classes[i]! ^= SILENCE;
  return classes;
}

/** The inverse: classes as samples. */
export function samplesOfClasses(classes: ArrayLike<number>): Int16Array {
  return Int16Array.from(classes, (value) => value - SILENCE);
}

/** Clips of classes; what is shorter than an example is padded with silence at its end, what is longer is cut there. */
export function clipSplit(clips: readonly Uint16Array[]): Split {
  return {
    count: clips.length,
    read(index, into) {
      const clip = clips[index]!.subarray(0, into.length);
      into.set(clip);
      into.fill(SILENCE, clip.length);
    },
  };
}
