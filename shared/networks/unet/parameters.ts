import type { UnetConfig } from '../../config/schema.js';
import { denseParameters, embeddingParameters, timeParameters } from '../input-block.js';
import type { Initializer, NetworkShape, ParameterSpec } from '../network.js';
import { planUnet, type ResidualBlock } from './plan.js';

const ZEROS: Initializer = { kind: 'zeros' };
const ONES: Initializer = { kind: 'ones' };
const lecun = (fanIn: number): Initializer => ({ kind: 'truncatedNormal', variance: 1 / fanIn });

/** The original's name of the module that reads classes, mask and time. */
export const INPUT = 'InputProcessingImage_0';

/**
 * Every parameter of the U-Net in the order of use, by the original's names and layouts. In memory, kernels of 3x3
 * convolutions are [9, out, in] and dense layers over locations [out, in], as `Ops` takes them.
 *
 * Throws UsageError where the settings do not fit together.
 */
export function unetParameters(config: UnetConfig, io: NetworkShape): ParameterSpec[] {
  const { channels, heads } = config;
  const plan = planUnet(config, io);
  const quarter = channels / 4;
  const timeWidth = 4 * channels;
  const specs: ParameterSpec[] = [];

  const plain = (name: string, shape: readonly number[], init: Initializer, originalShape = shape) =>
    specs.push({ name, shape, originalShape, init });
  const conv3x3 = (name: string, inputs: number, outputs: number, init = lecun(9 * inputs)) => {
    const originalShape = [3, 3, inputs, outputs];
    specs.push({
      name: `${name}/kernel`,
      shape: [9, outputs, inputs],
      originalShape,
      axes: [0, 1, 3, 2],
      init,
    });
    plain(`${name}/bias`, [outputs], ZEROS);
  };
  const conv1x1 = (name: string, inputs: number, outputs: number) => {
    const [shape, originalShape] = [
      [outputs, inputs],
      [inputs, outputs],
    ];
    specs.push({ name: `${name}/kernel`, shape, originalShape, axes: [1, 0], init: lecun(inputs) });
    plain(`${name}/bias`, [outputs], ZEROS);
  };
  const norm = (name: string, width: number) => {
    plain(`${name}/scale`, [width], ONES);
    plain(`${name}/bias`, [width], ZEROS);
  };

  const block = ({ name, inputs, outputs, attention: attends }: ResidualBlock) => {
    norm(`${name}/norm1`, inputs);
    conv3x3(`${name}/conv1`, inputs, outputs);
    specs.push(...denseParameters(`${name}/temb_proj`, timeWidth, outputs));
    norm(`${name}/norm2`, outputs);
    conv3x3(`${name}/conv2`, outputs, outputs, ZEROS);
    if (inputs !== outputs) conv1x1(`${name}/nin_shortcut`, inputs, outputs);
    if (attends !== undefined) attention(attends, outputs);
  };
  const attention = (name: string, width: number) => {
    norm(`${name}/norm`, width);
    if (heads === 1) for (const layer of ['q', 'k', 'v']) conv1x1(`${name}/${layer}`, width, width);
    else {
      const size = width / heads;
      const shape = [width, width];
      const init = lecun(width);
      for (const layer of ['q', 'k', 'v']) {
        const originalShape = [width, heads, size];
        specs.push({ name: `${name}/${layer}/kernel`, shape, originalShape, axes: [1, 2, 0], init });
        plain(`${name}/${layer}/bias`, [width], ZEROS, [heads, size]);
      }
    }
    const originalShape = heads === 1 ? [width, width] : [heads, width / heads, width];
    const axes = heads === 1 ? [1, 0] : [2, 0, 1];
    specs.push({ name: `${name}/proj_out/kernel`, shape: [width, width], originalShape, axes, init: ZEROS });
    plain(`${name}/proj_out/bias`, [width], ZEROS);
  };

  conv3x3(`${INPUT}/conv_in`, io.channels + io.maskChannels, channels - quarter);
  specs.push(...embeddingParameters(INPUT, channels, io), ...timeParameters(INPUT, channels));
  for (const level of plan.down) {
    level.blocks.forEach(block);
    if (level.resample) conv3x3(level.resample.name, level.resample.channels, level.resample.channels);
  }
  plan.middle.forEach(block);
  for (const level of plan.up) {
    level.blocks.forEach(block);
    if (level.resample) conv3x3(level.resample.name, level.resample.channels, level.resample.channels);
  }
  norm('norm_out', plan.outputs);
  conv3x3('conv_out', plan.outputs, io.numOutputs);
  return specs;
}
