import { countParameters } from '../networks/network.js';
import { tf } from '../networks/tensors.js';
import { createUnet } from '../networks/unet/unet.js';
import type { Call, Program } from './engine.js';
import { sizeOf } from './program.js';

type NetworkConfig = Parameters<typeof createUnet>[0];

/** Numbers between -1 and 1, the same every time. */
export function numbers(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

/** A training step small enough for the plain JavaScript reference to run in a moment. */
export interface TinyUnet {
  readonly program: Program;
  readonly numParameters: number;
  /** New arrays with the same numbers each time. */
  call(): Call & { readonly gradients: Float32Array };
}

/** The training step of a U-Net on 2 images of 8 x 8 x 2 and 5 classes. */
export function tinyUnet(settings: Partial<NetworkConfig> = {}): TinyUnet {
  const [batch, height, width, channels, numClasses] = [2, 8, 8, 2, 5];
  const config: NetworkConfig = {
    kind: 'unet',
    channels: 8,
    multipliers: [1],
    blocks: 1,
    attention: 'middle',
    heads: 1,
    groups: 4,
    dropout: 0,
    ...settings,
  };
  const network = createUnet(config, {
    height,
    width,
    channels,
    maskChannels: channels,
    numInputClasses: numClasses,
    numOutputs: channels * numClasses,
    factorization: 'any-order',
  });
  const shape = [batch, channels, height, width];
  const masks = network.dropouts.map(({ shape: each }, i) => ({
    name: `dropout${i}`,
    dtype: 'uint8' as const,
    shape: [batch, ...each],
  }));
  const program: Program = {
    name: 'tiny U-Net',
    parameters: network.parameters,
    inputs: [
      { name: 'classes', dtype: 'int32', shape },
      { name: 'mask', dtype: 'float32', shape },
      { name: 'time', dtype: 'float32', shape: [batch, config.channels] },
      { name: 'target', dtype: 'int32', shape },
      { name: 'weight', dtype: 'float32', shape },
      ...masks,
    ],
    outputs: [
      { name: 'loss', shape: [] },
      { name: 'logLikelihood', shape: [batch] },
    ],
    gradientOf: 'loss',
    build(ops, parameters, { classes, mask, time, target, weight, ...given }) {
      const dropout = masks.map(({ name }) => given[name]!);
      const input = { classes: classes!, mask: mask!, time: time!, dropout };
      const logits = network.apply(ops, parameters, input);
      const logLikelihood = ops.logLikelihood(logits, target!, weight!, numClasses);
      return { logLikelihood, loss: tf.neg(tf.mean(logLikelihood)) };
    },
  };
  const numParameters = countParameters(network.parameters);
  const integers = (size: number, below: number, seed: number) =>
    numbers(size, seed).map((value) => Math.floor(((value + 1) / 2) * below));
  return {
    program,
    numParameters,
    call: () => ({
      parameters: numbers(numParameters, 1).map((value) => value / 4),
      inputs: {
        classes: Int32Array.from(integers(sizeOf(shape), numClasses, 2)),
        mask: integers(sizeOf(shape), 2, 3),
        time: numbers(batch * config.channels, 4),
        target: Int32Array.from(integers(sizeOf(shape), numClasses, 5)),
        weight: numbers(sizeOf(shape), 6),
        ...Object.fromEntries(
          masks.map(({ name, shape: of }, i) => [name, Uint8Array.from(integers(sizeOf(of), 2, 10 + i))]),
        ),
      },
      outputs: { loss: new Float32Array(1), logLikelihood: new Float32Array(batch) },
      gradients: new Float32Array(numParameters),
    }),
  };
}
