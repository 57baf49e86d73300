import type { NetworkConfig } from '../config/schema.js';
import { createDiffwave } from './diffwave/diffwave.js';
import { diffwaveParameters } from './diffwave/parameters.js';
import type { Network, NetworkShape, ParameterSpec } from './network.js';
import { createTransformer } from './transformer/transformer.js';
import { transformerParameters } from './transformer/parameters.js';
import { unetParameters } from './unet/parameters.js';
import { createUnet } from './unet/unet.js';

/** The network of a config. Throws UsageError where the settings do not fit together. */
export function createNetwork(config: NetworkConfig, io: NetworkShape): Network {
  switch (config.kind) {
    case 'unet':
      return createUnet(config, io);
    case 'transformer':
      return createTransformer(config, io);
    case 'diffwave':
      return createDiffwave(config, io);
  }
}

/** Its parameters, in memory order. */
export function networkParameters(config: NetworkConfig, io: NetworkShape): readonly ParameterSpec[] {
  switch (config.kind) {
    case 'unet':
      return unetParameters(config, io);
    case 'transformer':
      return transformerParameters(config, io);
    case 'diffwave':
      return diffwaveParameters(config, io);
  }
}
