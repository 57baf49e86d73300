import type { UnetConfig } from '../../shared/config/schema.js';
import type { Engine, InputArray, Program } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import type { NetworkShape } from '../../shared/networks/network.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';
import { INPUT } from '../../shared/networks/unet/parameters.js';
import { planUnet, type Level } from '../../shared/networks/unet/plan.js';
import { createUnet } from '../../shared/networks/unet/unet.js';
import type { Fixture } from './fixture.js';
import { channelsLast, type CaseModel } from './model.js';

/** A module of the original, by its path, and the first layer that reads a map in it. */
interface Module {
  readonly name: string;
  readonly firstLayer: string;
  readonly channels: number;
}

/** Compares what each recorded module of the U-Net gives for the first example: where a difference begins. */
export async function compareActivations(
  engine: Engine,
  fixture: Fixture,
  { config: model, description, parameters }: CaseModel,
  inputs: Readonly<Record<string, InputArray>>,
): Promise<void> {
  const { batch } = fixture.sideCar.config;
  const { network: config } = model;
  const { networkShape: io } = description;
  if (config.kind !== 'unet') return;
  const network = createUnet(config, io);
  const modules = modulesOf(config, io);
  const wanted = fixture.bases('act/').map((name) => {
    const [, ...shape] = fixture.shape(name);
    const [channels, ...map] = [shape.at(-1)!, ...shape.slice(0, -1)];
    return { name, shape: [batch, channels, ...map] };
  });
  if (wanted.length === 0) return;
  const inputSpec = (name: string, dtype: 'int32' | 'float32', shape: readonly number[]) => ({
    name,
    dtype,
    shape: [batch, ...shape],
  });
  const program: Program = {
    name: `${fixture.name}, inside`,
    parameters: network.parameters,
    inputs: [
      inputSpec('classes', 'int32', [io.channels, io.height, io.width]),
      inputSpec('mask', 'float32', [io.maskChannels, io.height, io.width]),
      inputSpec('time', 'float32', [network.timeChannels]),
    ],
    outputs: wanted,
    build(ops, tensors, { classes, mask, time }) {
      const paths = new Map(tensors.map((tensor, i) => [tensor, network.parameters[i]!.name]));
      const observed = new ObservedOps(ops, (parameter) => paths.get(parameter)!.replace(/\/[^/]*$/, ''));
      network.apply(observed.ops, tensors, { classes: classes!, mask: mask!, time: time!, dropout: [] });
      return Object.fromEntries(wanted.map(({ name }) => [name, observed.outputOf(name.slice(4), modules)]));
    },
  };
  const outputs = Object.fromEntries(
    wanted.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]),
  );
  const { classes, mask, time } = inputs;
  const executable = await engine.compile(program);
  await executable.run({
    parameters,
    inputs: { classes: classes!, mask: mask!, time: time! },
    outputs,
  });
  await executable.dispose();
  for (const { name, shape } of wanted) {
    const first = outputs[name]!.subarray(0, sizeOf(shape.slice(1)));
    fixture.compare(name, channelsLast(first, 1, sizeOf(shape.slice(2))));
  }
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

/** Ops that keep what the layers read and give, by the path of their parameters. */
class ObservedOps {
  readonly ops: Ops;
  readonly #read = new Map<string, Tensor>();
  readonly #given = new Map<string, Tensor>();
  readonly #dense: Tensor[] = [];

  constructor(ops: Ops, pathOf: (parameter: Tensor) => string) {
    const small = new Map<Tensor, Tensor>();
    const convolve =
      (op: 'conv3x3' | 'conv3x3Stride2') =>
      (x: Tensor, kernel: Tensor, bias?: Tensor): Tensor => {
        this.#read.set(pathOf(kernel), small.get(x) ?? x);
        const y = ops[op](x, kernel, bias!);
        this.#given.set(pathOf(kernel), y);
        return y;
      };
    this.ops = {
      ...ops,
      conv3x3: convolve('conv3x3'),
      conv3x3Stride2: convolve('conv3x3Stride2'),
      groupNorm: (x, scale, bias, groups, swish) => {
        this.#read.set(pathOf(scale), x);
        this.#given.set(pathOf(scale), ops.groupNorm(x, scale, bias, groups, false));
        return ops.groupNorm(x, scale, bias, groups, swish);
      },
      upsample2: (x) => {
        const large = ops.upsample2(x);
        small.set(large, x);
        return large;
      },
      swish: (x) => {
        this.#dense.push(x);
        return ops.swish(x);
      },
    };
  }

  /** What a module gave: what its only layer did, else what the next module read. */
  outputOf(name: string, modules: readonly Module[]): Tensor {
    if (name === `${INPUT}#1`) return this.#dense[1]!;
    const given = this.#given.get(name);
    if (given) return given;
    const at = modules.findIndex((module) => module.name === name);
    const next = this.#read.get(modules[at + 1]!.firstLayer)!;
    const [batch, , height, width] = next.shape as [number, number, number, number];
    return tf.slice(next, [0, 0, 0, 0], [batch, modules[at]!.channels, height, width]);
  }
}
