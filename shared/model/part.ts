import type { ModelConfig } from '../config/schema.js';
import type { ModelDescription } from './description.js';

/**
 * Examples of a slice that are computed at once: the largest part that divides it and whose widest maps fit `mapBytes`, or a
 * twentieth of the parameters' bytes where that is more: each part costs a pass over the parameters. At least one example.
 */
export function partOf(
  sliceSize: number,
  { networkShape: { height, width }, numParameters }: ModelDescription,
  { network: { channels, multipliers } }: ModelConfig,
  mapBytes: number,
): number {
  const mapOf = (multiplier: number, level: number) =>
    (4 * channels * multiplier * height * width) / 4 ** level;
  const bytes = Math.max(...multipliers.map(mapOf));
  const most = Math.max(mapBytes, (4 * numParameters) / 20) / bytes;
  let part = 1;
  for (let divisor = 2; divisor <= Math.min(sliceSize, most); divisor++) {
    if (sliceSize % divisor === 0) part = divisor;
  }
  return part;
}
