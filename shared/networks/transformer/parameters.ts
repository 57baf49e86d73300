import type { TransformerConfig } from '../../config/schema.js';
import { UsageError } from '../../errors.js';
import type { Initializer, NetworkShape, ParameterSpec } from '../network.js';

const ZEROS: Initializer = { kind: 'zeros' };
const ONES: Initializer = { kind: 'ones' };
const BIAS: Initializer = { kind: 'normal', std: 1e-6 };
const xavier = (inputs: number, outputs: number): Initializer => ({
  kind: 'uniform',
  limit: Math.sqrt(6 / (inputs + outputs)),
});

/** The original's names of what stands outside the blocks. */
export const EMBEDDING = 'decoder/Embed_0/embedding';
export const LAST_NORM = 'decoder/encoderdecoder_norm';
export const LOGITS = 'decoder/logitdense';

/** The original's name of a block. */
export const blockName = (i: number): string => `decoder/encoderdecoderblock_${i}`;

/**
 * Every parameter of the transformer in the order of use, by the original's names and layouts (section 5.3 of the
 * specification). In memory, kernels are [out, in], as `Ops` takes dense layers, but those after the attention and after GELU [in, out].
 *
 * Throws UsageError where the settings do not fit together, or the data are no sequences.
 */
export function transformerParameters(config: TransformerConfig, io: NetworkShape): ParameterSpec[] {
  const { layers, width, heads, mlpWidth } = config;
  checkSettings(config, io);
  const vector = (name: string, size: number, init: Initializer): ParameterSpec => ({
    name,
    shape: [size],
    originalShape: [size],
    init,
  });
  const norm = (name: string) => [vector(`${name}/scale`, width, ONES), vector(`${name}/bias`, width, ZEROS)];
  const bias = (name: string, outputs: number) => vector(`${name}/bias`, outputs, BIAS);
  const dense = (name: string, inputs: number, outputs: number): ParameterSpec[] => {
    const [originalShape, init] = [[inputs, outputs], xavier(inputs, outputs)];
    return [
      { name: `${name}/kernel`, shape: [outputs, inputs], originalShape, axes: [1, 0], init },
      bias(name, outputs),
    ];
  };
  /** As the original has it: what follows GELU is computed some inputs at a time. */
  const denseOfParts = (name: string, inputs: number, outputs: number): ParameterSpec[] => {
    const [shape, init] = [[inputs, outputs], xavier(inputs, outputs)];
    return [{ name: `${name}/kernel`, shape, originalShape: shape, init }, bias(name, outputs)];
  };
  const size = width / heads;
  const square = { shape: [width, width], init: xavier(width, width) };
  const block = (name: string): ParameterSpec[] => [
    ...norm(`${name}/LayerNorm_0`),
    ...['query', 'key', 'value'].map((part) => ({
      name: `${name}/SelfAttention_0/${part}/kernel`,
      originalShape: [width, heads, size],
      axes: [1, 2, 0],
      ...square,
    })),
    {
      name: `${name}/SelfAttention_0/out/kernel`,
      originalShape: [heads, size, width],
      ...square,
    },
    ...norm(`${name}/LayerNorm_1`),
    ...dense(`${name}/MlpBlock_0/Dense_0`, width, mlpWidth),
    ...denseOfParts(`${name}/MlpBlock_0/Dense_1`, mlpWidth, width),
  ];
  const table = [io.numInputClasses, width];
  return [
    { name: EMBEDDING, shape: table, originalShape: table, init: { kind: 'normal', std: 1 } },
    ...Array.from({ length: layers }, (_, i) => block(blockName(i))).flat(),
    ...norm(LAST_NORM),
    ...dense(LOGITS, width, io.numOutputs),
  ];
}

function checkSettings({ width, heads }: TransformerConfig, io: NetworkShape): void {
  if (io.height !== 1 || io.channels !== 1)
    throw new UsageError(
      `model.network.kind is transformer, which models sequences, but the data are ${io.height} x ${io.width} with ${io.channels} channel${io.channels === 1 ? '' : 's'}: take a unet for images.`,
    );
  if (width % heads !== 0)
    throw new UsageError(
      `model.network.heads is ${heads}, which does not divide model.network.width, ${width}: take a divisor.`,
    );
}
