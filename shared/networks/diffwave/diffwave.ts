import type { DiffwaveConfig } from '../../config/schema.js';
import { dense, embedInput, embedTime, type Get } from '../input-block.js';
import type { Network, NetworkInput, NetworkShape } from '../network.js';
import type { Ops } from '../ops.js';
import { tf, type Tensor } from '../tensors.js';
import { blockName, diffwaveParameters, INPUT } from './parameters.js';

/**
 * The audio network of the original, after DiffWave and WaveNet (specification, section 5.4): input block, gated dilated
 * convolutions of width 3, and the sum of what each block gives on the side. Sequences are maps of height 1. Left to
 * right, inputs are shifted by one sample, and convolutions look back only.
 *
 * Throws UsageError where the data are no sequences, or come in an order that convolutions can't follow.
 */
export function createDiffwave(config: DiffwaveConfig, io: NetworkShape): Network {
  const parameters = diffwaveParameters(config, io);
  const anyOrder = io.factorization === 'any-order';
  return {
    parameters,
    readsMask: anyOrder,
    timeChannels: anyOrder ? config.channels : 0,
    dropouts: [],
    apply(ops, tensors, input) {
      const named = new Map(parameters.map(({ name }, i) => [name, tensors[i]!]));
      return run(new Layers(ops, (name) => named.get(name)!, !anyOrder), config, io, input);
    },
  };
}

function run(layers: Layers, config: DiffwaveConfig, io: NetworkShape, input: NetworkInput): Tensor {
  const { ops, get, causal } = layers;
  const { blocks, dilationCycle } = config;
  const time = input.time && embedTime(ops, get, INPUT, input.time);
  const convolve = (values: Tensor) => layers.dilated(`${INPUT}/conv_in`, values, 1);
  const shift = causal ? later : undefined;
  let h = tf.relu(embedInput(ops, get, INPUT, input, io.numInputClasses, convolve, shift));
  let sum: Tensor | undefined;
  for (let i = 0; i < blocks; i++) {
    const name = blockName(i);
    const y = gated(layers, name, h, time, 2 ** (i % dilationCycle));
    const skip = layers.pointwise(`${name}/skip`, y);
    sum = sum ? tf.add(sum, skip) : skip;
    if (i < blocks - 1) h = tf.mul(tf.add(h, layers.pointwise(`${name}/residual`, y)), Math.SQRT1_2);
  }
  const hidden = tf.relu(layers.pointwise('flower_conv', tf.mul(sum!, 1 / Math.sqrt(blocks))));
  return layers.pointwise('class_conv', hidden);
}

/** A block's gated convolution of h, to which the time is added. */
function gated(layers: Layers, name: string, h: Tensor, time: Tensor | undefined, dilation: number): Tensor {
  const step = time && dense(layers.get, `${name}/step_proj`, time);
  const z = step ? tf.add(h, tf.reshape(step, [...step.shape, 1, 1])) : h;
  return layers.ops.gate(
    layers.dilated(`${name}/dilated_tanh`, z, dilation),
    layers.dilated(`${name}/dilated_sigmoid`, z, dilation),
  );
}

/** The network's two kinds of convolutions, by the names of their parameters. */
class Layers {
  readonly ops: Ops;
  readonly get: Get;
  readonly causal: boolean;

  constructor(ops: Ops, get: Get, causal: boolean) {
    this.ops = ops;
    this.get = get;
    this.causal = causal;
  }

  dilated(name: string, x: Tensor, dilation: number): Tensor {
    const [kernel, bias] = [this.get(`${name}/kernel`), this.get(`${name}/bias`)];
    return this.ops.dilatedConv(x, kernel, bias, dilation, this.causal);
  }

  pointwise(name: string, x: Tensor): Tensor {
    return this.ops.conv1x1(x, this.get(`${name}/kernel`), this.get(`${name}/bias`));
  }
}

/** Everything one sample later: what comes in is zero. */
function later(x: Tensor): Tensor {
  const [batch, channels, , length] = x.shape as [number, number, number, number];
  const before = tf.slice(x, [0, 0, 0, 0], [batch, channels, 1, length - 1]);
  return tf.concat([tf.zeros([batch, channels, 1, 1]), before], 3);
}
