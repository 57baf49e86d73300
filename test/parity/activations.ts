import type { Engine, InputArray, Program } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import { outputsProgram } from '../../shared/model/program.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';
import { observeDiffwave } from './activations-diffwave.js';
import { observeTransformer } from './activations-transformer.js';
import { observeUnet } from './activations-unet.js';
import type { Fixture } from './fixture.js';
import { channelsLast, type CaseModel } from './model.js';

/** The parameters of one pass of a network, both ways. */
export interface Parameters {
  readonly pathOf: (parameter: Tensor) => string | undefined;
  readonly get: (path: string) => Tensor;
}

/** Ops that keep what goes through them while a network is applied, and what that tells of its modules. */
export interface Observer {
  readonly ops: Ops;
  /** What the original's module of this name gave for the first example, channels first. */
  outputOf(module: string): Tensor;
}

/** Compares what each recorded module gives for the first example: where a difference begins. */
export async function compareActivations(
  engine: Engine,
  fixture: Fixture,
  model: CaseModel,
  inputs: Readonly<Record<string, InputArray>>,
): Promise<void> {
  const forward = outputsProgram(model.description, model.config, fixture.sideCar.config.batch);
  const wanted = fixture.bases('act/').map((name) => {
    const [, ...shape] = fixture.shape(name);
    return { name, shape: [shape.at(-1)!, ...shape.slice(0, -1)] };
  });
  if (wanted.length === 0) return;
  const program: Program = {
    ...forward,
    name: `${fixture.name}, inside`,
    outputs: wanted,
    build(ops, tensors, given) {
      const observer = observe(model, ops, parametersOf(forward, tensors));
      forward.build(observer.ops, tensors, given);
      return Object.fromEntries(
        wanted.map(({ name, shape }) => [name, tf.reshape(observer.outputOf(name.slice(4)), shape)]),
      );
    },
  };
  const outputs = Object.fromEntries(
    wanted.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]),
  );
  const executable = await engine.compile(program);
  const read = Object.fromEntries(program.inputs.map(({ name }) => [name, inputs[name]!]));
  await executable.run({ parameters: model.parameters, inputs: read, outputs });
  await executable.dispose();
  for (const { name, shape } of wanted)
    fixture.compare(name, channelsLast(outputs[name]!, 1, sizeOf(shape.slice(1))));
}

function observe({ config, description }: CaseModel, ops: Ops, parameters: Parameters): Observer {
  const { network } = config;
  switch (network.kind) {
    case 'unet':
      return observeUnet(network, description.networkShape, ops, parameters);
    case 'transformer':
      return observeTransformer(description.networkShape, ops, parameters);
    case 'diffwave':
      return observeDiffwave(ops, parameters);
  }
}

function parametersOf({ parameters }: Program, tensors: readonly Tensor[]): Parameters {
  const paths = new Map(tensors.map((tensor, i) => [tensor, parameters[i]!.name]));
  const named = new Map(parameters.map(({ name }, i) => [name, tensors[i]!]));
  return { pathOf: (parameter) => paths.get(parameter), get: (path) => named.get(path)! };
}

/** The first example of maps [B,C,...]. */
export function firstExample(maps: Tensor): Tensor {
  const [, ...shape] = maps.shape;
  return tf.slice(maps, [0, ...shape.map(() => 0)], [1, ...shape]);
}
