import type { ModelConfig, NetworkConfig } from '../config/schema.js';
import type { ModelDescription } from './description.js';

/** Channels of a transformer's maps that count: it works on some of its widest ones at a time itself. */
const TRANSFORMER_CHANNELS = 128;

/**
 * Examples of a slice that are computed at once: the largest part that divides it and whose widest maps fit `mapBytes`, or a
 * twentieth of the parameters' bytes where that is more: each part costs a pass over the parameters. At least one example.
 */
export function partOf(
  sliceSize: number,
  { networkShape: { height, width }, numParameters }: ModelDescription,
  { network }: ModelConfig,
  mapBytes: number,
): number {
  const most = Math.max(mapBytes, (4 * numParameters) / 20) / (4 * widestMap(network, height * width));
  let part = 1;
  for (let divisor = 2; divisor <= Math.min(sliceSize, most); divisor++) {
    if (sliceSize % divisor === 0) part = divisor;
  }
  return part;
}

/** Numbers of the largest map that goes from one layer to the next. */
function widestMap(network: NetworkConfig, locations: number): number {
  switch (network.kind) {
    case 'unet':
      return Math.max(
        ...network.multipliers.map((m, level) => (network.channels * m * locations) / 4 ** level),
      );
    case 'diffwave':
      return 2 * network.channels * locations;
    case 'transformer':
      return TRANSFORMER_CHANNELS * locations;
  }
}
