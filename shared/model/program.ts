import type { ModelConfig } from '../config/schema.js';
import type { InputSpec, Program } from '../engine/engine.js';
import type { Network } from '../networks/network.js';
import { tf, type Tensor } from '../networks/tensors.js';
import { createUnet } from '../networks/unet/unet.js';
import type { ModelDescription } from './description.js';

/**
 * One training step of `batch` examples: `logLikelihood` [batch], the nats of each example's scored variables, and
 * `loss`, minus their sum weighted by `weight` [batch], whose gradient is taken. At a dropout rate above 0 there is
 * an input `dropoutN` for each mask.
 */
export function trainingProgram(description: ModelDescription, config: ModelConfig, batch: number): Program {
  const network = createUnet(config.network, description.networkShape);
  const masks = network.dropoutShapes.map((shape, n): InputSpec => ({
    name: `dropout${n}`,
    dtype: 'uint8',
    shape: [batch, ...shape],
  }));
  return {
    name: `train batch ${batch}`,
    parameters: network.parameters,
    inputs: [
      ...networkInputs(description, network, batch),
      ...scoredInputs(description, batch),
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
      const logits = network.apply(ops, parameters, networkInput(inputs, dropout));
      const { target, scored, weight } = inputs;
      const logLikelihood = ops.logLikelihood(logits, target!, scored!, description.numClasses);
      return { logLikelihood, loss: tf.neg(tf.sum(tf.mul(logLikelihood, weight!))) };
    },
  };
}

/** The `logLikelihood` [batch] of a trained model: nats of each example's scored variables, without dropout. */
export function likelihoodProgram(
  description: ModelDescription,
  config: ModelConfig,
  batch: number,
): Program {
  const network = createUnet(config.network, description.networkShape);
  return {
    name: `likelihood batch ${batch}`,
    parameters: network.parameters,
    inputs: [...networkInputs(description, network, batch), ...scoredInputs(description, batch)],
    outputs: [{ name: 'logLikelihood', shape: [batch] }],
    build(ops, parameters, inputs) {
      const logits = network.apply(ops, parameters, networkInput(inputs, []));
      return {
        logLikelihood: ops.logLikelihood(logits, inputs.target!, inputs.scored!, description.numClasses),
      };
    },
  };
}

/** The `logits` [batch, C * K, H, W] of every variable, for sampling. */
export function logitsProgram(description: ModelDescription, config: ModelConfig, batch: number): Program {
  const network = createUnet(config.network, description.networkShape);
  const { height, width, numOutputs } = description.networkShape;
  return {
    name: `logits batch ${batch}`,
    parameters: network.parameters,
    inputs: networkInputs(description, network, batch),
    outputs: [{ name: 'logits', shape: [batch, numOutputs, height, width] }],
    build: (ops, parameters, inputs) => ({
      logits: network.apply(ops, parameters, networkInput(inputs, [])),
    }),
  };
}

function networkInputs({ networkShape }: ModelDescription, network: Network, batch: number): InputSpec[] {
  const { height, width, channels, maskChannels } = networkShape;
  return [
    { name: 'classes', dtype: 'int32', shape: [batch, channels, height, width] },
    { name: 'mask', dtype: 'float32', shape: [batch, maskChannels, height, width] },
    { name: 'time', dtype: 'float32', shape: [batch, network.timeChannels] },
  ];
}

/** The true classes, and 1 where a variable counts. */
function scoredInputs({ networkShape }: ModelDescription, batch: number): InputSpec[] {
  const { height, width, channels } = networkShape;
  const shape = [batch, channels, height, width];
  return [
    { name: 'target', dtype: 'int32', shape },
    { name: 'scored', dtype: 'float32', shape },
  ];
}

function networkInput({ classes, mask, time }: Readonly<Record<string, Tensor>>, dropout: readonly Tensor[]) {
  return { classes: classes!, mask: mask!, time: time!, dropout };
}
