import type { UnetConfig } from '../../shared/config/schema.js';
import type { NetworkShape } from '../../shared/networks/network.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';
import { INPUT } from '../../shared/networks/unet/parameters.js';
import { planUnet, type Level } from '../../shared/networks/unet/plan.js';
import { firstExample, type Observer, type Parameters } from './activations.js';

/** A module of the original, by its path, and the first layer that reads a map in it. */
interface Module {
  readonly name: string;
  readonly firstLayer: string;
  readonly channels: number;
}

/** A U-Net's modules: what the only layer of one did, else what the next module read. */
export function observeUnet(
  config: UnetConfig,
  io: NetworkShape,
  ops: Ops,
  { pathOf }: Parameters,
): Observer {
  const modules = modulesOf(config, io);
  const read = new Map<string, Tensor>();
  const given = new Map<string, Tensor>();
  const dense: Tensor[] = [];
  const small = new Map<Tensor, Tensor>();
  const layerOf = (parameter: Tensor) => pathOf(parameter)!.replace(/\/[^/]*$/, '');
  const convolve =
    (op: 'conv3x3' | 'conv3x3Stride2') =>
    (x: Tensor, kernel: Tensor, bias?: Tensor): Tensor => {
      read.set(layerOf(kernel), small.get(x) ?? x);
      const y = ops[op](x, kernel, bias!);
      given.set(layerOf(kernel), y);
      return y;
    };
  const observed: Ops = {
    ...ops,
    conv3x3: convolve('conv3x3'),
    conv3x3Stride2: convolve('conv3x3Stride2'),
    groupNorm: (x, scale, bias, groups, swish) => {
      read.set(layerOf(scale), x);
      given.set(layerOf(scale), ops.groupNorm(x, scale, bias, groups, false));
      return ops.groupNorm(x, scale, bias, groups, swish);
    },
    upsample2: (x) => {
      const large = ops.upsample2(x);
      small.set(large, x);
      return large;
    },
    swish: (x) => {
      dense.push(x);
      return ops.swish(x);
    },
  };
  return {
    ops: observed,
    outputOf(name) {
      if (name === `${INPUT}#1`) return firstExample(dense[1]!);
      const own = given.get(name);
      if (own) return firstExample(own);
      const at = modules.findIndex((module) => module.name === name);
      const next = read.get(modules[at + 1]!.firstLayer)!;
      const [, , height, width] = next.shape as [number, number, number, number];
      return tf.slice(next, [0, 0, 0, 0], [1, modules[at]!.channels, height, width]);
    },
  };
}

/** In the order in which they run: each reads what the one before gives, those on the way up a skipped map besides. */
function modulesOf(config: UnetConfig, io: NetworkShape): Module[] {
  const plan = planUnet(config, io);
  const level = ({ blocks, resample }: Level): Module[] => [
    ...blocks.flatMap(({ name, outputs, attention }) => [
      { name, firstLayer: `${name}/norm1`, channels: outputs },
      ...(attention ? [{ name: attention, firstLayer: `${attention}/norm`, channels: outputs }] : []),
    ]),
    ...(resample ? [{ ...resample, firstLayer: resample.name }] : []),
  ];
  return [
    { name: `${INPUT}#0`, firstLayer: '', channels: config.channels },
    ...plan.down.flatMap(level),
    ...level({ blocks: plan.middle }),
    ...plan.up.flatMap(level),
    { name: 'norm_out', firstLayer: 'norm_out', channels: plan.outputs },
  ];
}
