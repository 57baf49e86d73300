import type { NetworkShape } from '../networks/network.js';
import { planUnet, type ResidualBlock } from '../networks/unet/plan.js';
import type { NetworkConfig } from './schema.js';

/**
 * What a training step of so many examples at once holds at its peak besides parameters and gradients, in bytes: an
 * estimate, within a quarter of what the onnxruntime CPU engine was measured to take from 0.3 M to 124 M parameters.
 */
export function activationBytes(network: NetworkConfig, io: NetworkShape, numExamples: number): number {
  const plan = planUnet(network, io);
  const blocks = [...[...plan.down, ...plan.up].flatMap(({ blocks }) => blocks), ...plan.middle];
  const logits = io.height * io.width * io.numOutputs;
  const floats = blocks.reduce((sum, block) => sum + blockFloats(block), LOGITS * logits);
  return 4 * numExamples * floats;
}

/** Copies of a map that are alive at once: the forward pass's for the backward one, and the engine's own. */
const LOGITS = 4.5;
const INPUTS = 4;
const OUTPUTS = 11.5;
const ATTENTION_MAPS = 6;

function blockFloats({ inputs, outputs, height, width, attention }: ResidualBlock): number {
  return height * width * (INPUTS * inputs + OUTPUTS * outputs + (attention ? ATTENTION_MAPS * outputs : 0));
}
