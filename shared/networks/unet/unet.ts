import type { UnetConfig } from '../../config/schema.js';
import { dense, embedInput, embedTime } from '../input-block.js';
import type { Network, NetworkInput, NetworkShape } from '../network.js';
import type { Ops } from '../ops.js';
import { tf, type Tensor } from '../tensors.js';
import { INPUT, unetParameters } from './parameters.js';
import { numGroups, planUnet, type Level, type ResidualBlock, type UnetPlan } from './plan.js';

/**
 * The U-Net of the original (paper, appendix D; specification, sections 1.4, 5.1 and 5.2): input block, residual
 * blocks with a time embedding, attention, and long skip connections.
 *
 * Throws UsageError where the settings do not fit together.
 */
export function createUnet(config: UnetConfig, io: NetworkShape): Network {
  const plan = planUnet(config, io);
  const parameters = unetParameters(config, io);
  const blocks = [...plan.down.flatMap((l) => l.blocks), ...plan.middle, ...plan.up.flatMap((l) => l.blocks)];
  return {
    parameters,
    readsMask: true,
    timeChannels: config.channels,
    dropouts:
      config.dropout === 0
        ? []
        : blocks.map(({ outputs, height, width }) => ({
            shape: [outputs, height, width],
            keep: 1 - config.dropout,
          })),
    apply(ops, tensors, input) {
      const named = new Map(parameters.map(({ name }, i) => [name, tensors[i]!]));
      return new Pass(ops, named, config, input).run(plan, io);
    },
  };
}

/** One forward pass. */
class Pass {
  readonly #ops: Ops;
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #config: UnetConfig;
  readonly #input: NetworkInput;
  /** swish of the time embedding, [B, 4 * channels]. */
  readonly #time: Tensor;
  #numDropouts = 0;
  readonly #get = (name: string): Tensor => this.#parameters.get(name)!;

  constructor(ops: Ops, parameters: ReadonlyMap<string, Tensor>, config: UnetConfig, input: NetworkInput) {
    this.#ops = ops;
    this.#parameters = parameters;
    this.#config = config;
    this.#input = input;
    this.#time = embedTime(ops, this.#get, INPUT, input.time!);
  }

  run(plan: UnetPlan, io: NetworkShape): Tensor {
    const convolve = (values: Tensor) => this.#conv('conv3x3', `${INPUT}/conv_in`, values);
    let h = embedInput(this.#ops, this.#get, INPUT, this.#input, io.numInputClasses, convolve);
    const stack = [h];
    for (const level of plan.down) {
      for (const block of level.blocks) stack.push((h = this.#block(block, h)));
      if (level.resample) stack.push((h = this.#conv('conv3x3Stride2', level.resample.name, h)));
    }
    for (const block of plan.middle) h = this.#block(block, h);
    for (const level of plan.up) h = this.#up(level, h, stack);
    return this.#conv('conv3x3', 'conv_out', this.#norm('norm_out', h, true));
  }

  #up(level: Level, x: Tensor, stack: Tensor[]): Tensor {
    let h = x;
    for (const block of level.blocks) h = this.#block(block, tf.concat([h, stack.pop()!], 1));
    return level.resample ? this.#conv('conv3x3', level.resample.name, this.#ops.upsample2(h)) : h;
  }

  #block(block: ResidualBlock, x: Tensor): Tensor {
    const { name } = block;
    const first = this.#ops.conv3x3(this.#norm(`${name}/norm1`, x, true), this.#get(`${name}/conv1/kernel`));
    // The convolution's bias rides on the time embedding, which has to be added anyway.
    const time = tf.add(dense(this.#get, `${name}/temb_proj`, this.#time), this.#get(`${name}/conv1/bias`));
    const conditioned = tf.add(first, tf.reshape(time, [...time.shape, 1, 1]));
    const normal = this.#dropout(this.#norm(`${name}/norm2`, conditioned, true));
    const second = this.#conv('conv3x3', `${name}/conv2`, normal);
    const shortcut = block.inputs === block.outputs ? x : this.#conv('conv1x1', `${name}/nin_shortcut`, x);
    const sum = tf.add(shortcut, second);
    return block.attention === undefined ? sum : this.#attention(block.attention, sum);
  }

  #attention(name: string, x: Tensor): Tensor {
    const normal = this.#norm(`${name}/norm`, x, false);
    const [query, key, value] = ['q', 'k', 'v'].map((l) => this.#conv('conv1x1', `${name}/${l}`, normal));
    const mixed = this.#ops.attention(query!, key!, value!, this.#config.heads);
    return tf.add(x, this.#conv('conv1x1', `${name}/proj_out`, mixed));
  }

  #dropout(x: Tensor): Tensor {
    const mask = this.#input.dropout[this.#numDropouts++];
    return mask ? this.#ops.dropout(x, mask, 1 - this.#config.dropout) : x;
  }

  #norm(name: string, x: Tensor, swish: boolean): Tensor {
    const groups = numGroups(x.shape[1]!, this.#config);
    return this.#ops.groupNorm(x, this.#get(`${name}/scale`), this.#get(`${name}/bias`), groups, swish);
  }

  #conv(op: 'conv3x3' | 'conv3x3Stride2' | 'conv1x1', name: string, x: Tensor): Tensor {
    return this.#ops[op](x, this.#get(`${name}/kernel`), this.#get(`${name}/bias`));
  }
}
