import type { DiffwaveConfig } from '../../config/schema.js';
import { UsageError } from '../../errors.js';
import { denseParameters, embeddingParameters, timeParameters } from '../input-block.js';
import type { Initializer, NetworkShape, ParameterSpec } from '../network.js';

const ZEROS: Initializer = { kind: 'zeros' };
const lecun = (fanIn: number): Initializer => ({ kind: 'truncatedNormal', variance: 1 / fanIn });
const he = (fanIn: number): Initializer => ({ kind: 'truncatedNormal', variance: 2 / fanIn });

/** The original's name of the module that reads classes, mask and time. */
export const INPUT = 'InputProcessingAudio_0';

/** The original's name of a residual block. */
export const blockName = (i: number): string => `res_group/ResBlock_${i}`;

/**
 * Every parameter of the audio network in the order of use, by the original's names and layouts. In memory, kernels of convolutions of width
 * 3 are [3, out, in] and those of width 1 [out, in], as `Ops` takes them. The last block's `residual` is never
 * used, as in the original. A net that goes left to right reads neither mask nor time.
 *
 * Throws UsageError where the data are no sequences, or come in an order that convolutions can't follow.
 */
export function diffwaveParameters(config: DiffwaveConfig, io: NetworkShape): ParameterSpec[] {
  const { channels, blocks } = config;
  checkShape(io);
  const anyOrder = io.factorization === 'any-order';

  const convolution = (name: string, width: 1 | 3, inputs: number, outputs: number, init: Initializer) => {
    const shape = width === 1 ? [outputs, inputs] : [width, outputs, inputs];
    const originalShape = [width, inputs, outputs];
    const kernel: ParameterSpec = { name: `${name}/kernel`, shape, originalShape, axes: [0, 2, 1], init };
    const bias = [outputs];
    return [kernel, { name: `${name}/bias`, shape: bias, originalShape: bias, init: ZEROS }];
  };
  const block = (name: string): ParameterSpec[] => [
    ...(anyOrder ? denseParameters(`${name}/step_proj`, 4 * channels, channels) : []),
    ...convolution(`${name}/dilated_tanh`, 3, channels, channels, he(3 * channels)),
    ...convolution(`${name}/dilated_sigmoid`, 3, channels, channels, he(3 * channels)),
    ...convolution(`${name}/skip`, 1, channels, channels, he(channels)),
    ...convolution(`${name}/residual`, 1, channels, channels, he(channels)),
  ];

  const read = io.channels + (anyOrder ? io.maskChannels : 0);
  return [
    ...convolution(`${INPUT}/conv_in`, 3, read, (3 * channels) / 4, lecun(3 * read)),
    ...embeddingParameters(INPUT, channels, io),
    ...(anyOrder ? timeParameters(INPUT, channels) : []),
    ...Array.from({ length: blocks }, (_, i) => block(blockName(i))).flat(),
    ...convolution('flower_conv', 1, channels, channels, he(channels)),
    ...convolution('class_conv', 1, channels, io.numOutputs, ZEROS),
  ];
}

function checkShape({ height, width, factorization }: NetworkShape): void {
  if (height !== 1)
    throw new UsageError(
      `model.network.kind is diffwave, which reads sequences, but the examples are maps of ${height} x ${width}. Take the unet for images.`,
    );
  if (factorization === 'permuted')
    throw new UsageError(
      'model.kind is permuted, but a diffwave net can go in any order (oa, upscale) or left to right (arm) only. The transformer can follow an order that is given to it.',
    );
}
