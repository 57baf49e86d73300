import type { ModelConfig } from '../config/schema.js';
import type { InputSpec, Program } from '../engine/engine.js';
import { createNetwork } from '../networks/create.js';
import type { Network, NetworkInput } from '../networks/network.js';
import { tf, type Tensor } from '../networks/tensors.js';
import { createOutput } from '../outputs/create.js';
import type { Output } from '../outputs/output.js';
import type { ModelDescription } from './description.js';

/**
 * One training step of `batch` examples: `logLikelihood` [batch], the nats of each example's scored variables, and
 * `loss`, minus their sum weighted by `weight` [batch], whose gradient is taken. At a dropout rate above 0 there is
 * an input `dropoutN` for each mask.
 */
export function trainingProgram(description: ModelDescription, config: ModelConfig, batch: number): Program {
  const { network, output } = partsOf(description, config);
  const masks = network.dropouts.map(({ shape }, n): InputSpec => ({
    name: `dropout${n}`,
    dtype: 'uint8',
    shape: [batch, ...shape],
  }));
  return {
    name: `train batch ${batch}`,
    parameters: network.parameters,
    inputs: [
      ...networkInputs(description, network, batch),
      ...scoredInputs(description, output, batch),
      { name: 'weight', dtype: 'float32', shape: [batch] },
      ...masks,
    ],
    outputs: [
      { name: 'logLikelihood', shape: [batch] },
      { name: 'loss', shape: [] },
    ],
    gradientOf: 'loss',
    build(ops, parameters, inputs) {
      const dropout = masks.map(({ name }) => inputs[name]!);
      const outputs = network.apply(ops, parameters, networkInput(inputs, dropout));
      const logLikelihood = output.logLikelihood(ops, outputs, inputs);
      return { logLikelihood, loss: tf.neg(tf.sum(tf.mul(logLikelihood, inputs.weight!))) };
    },
  };
}

/** The `logLikelihood` [batch] of a trained model: nats of each example's scored variables, without dropout. */
export function likelihoodProgram(
  description: ModelDescription,
  config: ModelConfig,
  batch: number,
): Program {
  const { network, output } = partsOf(description, config);
  return {
    name: `likelihood batch ${batch}`,
    parameters: network.parameters,
    inputs: [...networkInputs(description, network, batch), ...scoredInputs(description, output, batch)],
    outputs: [{ name: 'logLikelihood', shape: [batch] }],
    build(ops, parameters, inputs) {
      const outputs = network.apply(ops, parameters, networkInput(inputs, []));
      return { logLikelihood: output.logLikelihood(ops, outputs, inputs) };
    },
  };
}

/** The network's `outputs` [batch, numOutputs, H, W], for sampling. */
export function outputsProgram(description: ModelDescription, config: ModelConfig, batch: number): Program {
  const { network } = partsOf(description, config);
  const { height, width, numOutputs } = description.networkShape;
  return {
    name: `outputs batch ${batch}`,
    parameters: network.parameters,
    inputs: networkInputs(description, network, batch),
    outputs: [{ name: 'outputs', shape: [batch, numOutputs, height, width] }],
    build: (ops, parameters, inputs) => ({
      outputs: network.apply(ops, parameters, networkInput(inputs, [])),
    }),
  };
}

function partsOf({ networkShape, shape, numClasses }: ModelDescription, config: ModelConfig) {
  return {
    network: createNetwork(config.network, networkShape),
    output: createOutput(config, shape[2], numClasses),
  };
}

function networkInputs({ networkShape }: ModelDescription, network: Network, batch: number): InputSpec[] {
  const { height, width, channels, maskChannels, factorization } = networkShape;
  const { readsMask, timeChannels } = network;
  return [
    { name: 'classes', dtype: 'int32', shape: [batch, channels, height, width] },
    ...(readsMask
      ? [{ name: 'mask', dtype: 'float32', shape: [batch, maskChannels, height, width] } as const]
      : []),
    ...(timeChannels > 0 ? [{ name: 'time', dtype: 'float32', shape: [batch, timeChannels] } as const] : []),
    ...(factorization === 'permuted'
      ? [{ name: 'positions', dtype: 'int32', shape: [batch, width] } as const]
      : []),
  ];
}

/** What the output reads of each variable and each example, and 1 where a variable counts. */
function scoredInputs({ networkShape }: ModelDescription, output: Output, batch: number): InputSpec[] {
  const { height, width, channels } = networkShape;
  const shape = [batch, channels, height, width];
  return [
    ...output.variableInputs.map(({ name, dtype }) => ({ name, dtype, shape })),
    ...output.exampleInputs(batch),
    { name: 'scored', dtype: 'float32', shape },
  ];
}

function networkInput(
  { classes, mask, time, positions }: Readonly<Record<string, Tensor>>,
  dropout: readonly Tensor[],
): NetworkInput {
  return {
    classes: classes!,
    ...(mask && { mask }),
    ...(time && { time }),
    ...(positions && { positions }),
    dropout,
  };
}
