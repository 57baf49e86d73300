import type { NetworkShape } from '../networks/network.js';
import { planUnet, type ResidualBlock } from '../networks/unet/plan.js';
import type { NetworkConfig } from './schema.js';

/**
 * What a training step of one slice holds at its peak besides parameters and gradients, in bytes: an estimate, within a
 * quarter of what the onnxruntime CPU engine was measured to take from 0.3 M to 124 M parameters.
 */
export function activationBytes(network: NetworkConfig, io: NetworkShape, sliceSize: number): number {
  const plan = planUnet(network, io);
  const blocks = [...[...plan.down, ...plan.up].flatMap(({ blocks }) => blocks), ...plan.middle];
  const logits = io.height * io.width * io.numOutputs;
  const floats = blocks.reduce((sum, block) => sum + blockFloats(block, network.heads), LOGITS * logits);
  return 4 * sliceSize * floats;
}

/** Copies of a map that are alive at once: the forward pass's for the backward one, and the engine's own. */
const LOGITS = 4.5;
const INPUTS = 4;
const OUTPUTS = 10;
const ATTENTION_MAPS = 6;
const ATTENTION_WEIGHTS = 2;

function blockFloats({ inputs, outputs, height, width, attention }: ResidualBlock, heads: number): number {
  const locations = height * width;
  const maps = INPUTS * inputs + OUTPUTS * outputs + (attention ? ATTENTION_MAPS * outputs : 0);
  return locations * maps + (attention ? ATTENTION_WEIGHTS * heads * locations ** 2 : 0);
}
