import { roundHalfEven } from './rounding.js';

/** Where step t of numSteps goes in a film of numFrames (section 1.5); later steps overwrite earlier ones. */
export function frameIndex(step: number, numSteps: number, numFrames: number): number {
  return Math.floor((step * numFrames) / numSteps);
}

/** The frames to keep of a longer film: `numKept` >= 2 of them evenly, the first and the last among them. */
export function pruneFrames(numFrames: number, numKept: number): Int32Array {
  return Int32Array.from({ length: numKept }, (_, i) => roundHalfEven(i * (numFrames - 1), numKept - 1));
}
