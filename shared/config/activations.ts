import type { NetworkShape } from '../networks/network.js';
import { planUnet, type ResidualBlock } from '../networks/unet/plan.js';
import type { DiffwaveConfig, NetworkConfig, TransformerConfig, UnetConfig } from './schema.js';

/**
 * What a training step of so many examples at once holds at its peak besides parameters and gradients, in bytes: an
 * estimate, within a quarter of what the onnxruntime CPU engine was measured to take from 0.3 M to 124 M parameters.
 */
export function activationBytes(network: NetworkConfig, io: NetworkShape, numExamples: number): number {
  const outputs = LOGITS * io.height * io.width * io.numOutputs;
  return 4 * numExamples * (outputs + floatsOf(network, io));
}

/** Copies of a map that are alive at once: the forward pass's for the backward one, and the engine's own. */
const LOGITS = 4.5;
const INPUTS = 4;
const OUTPUTS = 11.5;
const ATTENTION_MAPS = 6;
const DIFFWAVE_MAPS = 5.5;
const TRANSFORMER_MAPS = 10;
const MLP_MAPS = 3;

function floatsOf(network: NetworkConfig, io: NetworkShape): number {
  switch (network.kind) {
    case 'unet':
      return unetFloats(network, io);
    case 'transformer':
      return transformerFloats(network, io);
    case 'diffwave':
      return diffwaveFloats(network, io);
  }
}

function unetFloats(network: UnetConfig, io: NetworkShape): number {
  const plan = planUnet(network, io);
  const blocks = [...[...plan.down, ...plan.up].flatMap(({ blocks }) => blocks), ...plan.middle];
  return blocks.reduce((sum, block) => sum + blockFloats(block), 0);
}

function blockFloats({ inputs, outputs, height, width, attention }: ResidualBlock): number {
  return height * width * (INPUTS * inputs + OUTPUTS * outputs + (attention ? ATTENTION_MAPS * outputs : 0));
}

const transformerFloats = ({ layers, width, mlpWidth }: TransformerConfig, io: NetworkShape) =>
  layers * io.width * (TRANSFORMER_MAPS * width + MLP_MAPS * mlpWidth);

const diffwaveFloats = ({ blocks, channels }: DiffwaveConfig, io: NetworkShape) =>
  blocks * io.width * DIFFWAVE_MAPS * channels;
