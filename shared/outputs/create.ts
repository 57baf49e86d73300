import type { ModelConfig } from '../config/schema.js';
import { createStageMap } from '../method/stages.js';
import { dataOutput } from './data.js';
import { directOutput } from './direct.js';
import { logisticOutput } from './logistic.js';
import { logisticRgbOutput } from './logistic-rgb.js';
import { softmaxOutput } from './softmax.js';
import type { Output } from './output.js';

/** The output of a model of variables of K classes, C of them a location. Throws UsageError where the settings don't fit them. */
export function createOutput(config: ModelConfig, numChannels: number, numClasses: number): Output {
  const { kind, output, mixtures, edges, upscale } = config;
  if (kind === 'upscale') {
    const map = createStageMap(upscale.map, numClasses, upscale.base);
    return upscale.parametrization === 'direct'
      ? directOutput(numChannels, map.numStages, map.base)
      : dataOutput(numChannels, map);
  }
  switch (output) {
    case 'softmax':
      return softmaxOutput(numChannels, numClasses);
    case 'logistic':
      return logisticOutput(numChannels, numClasses, mixtures, edges);
    case 'logistic-rgb':
      return logisticRgbOutput(numClasses, mixtures, edges);
  }
}
