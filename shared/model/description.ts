import { createHash } from 'node:crypto';
import type { ModelConfig } from '../config/schema.js';
import { UsageError } from '../errors.js';
import { countParameters, type NetworkShape, type ParameterSpec } from '../networks/network.js';
import { unetParameters } from '../networks/unet/parameters.js';

/** A model's sizes and parameters, known without building it. */
export interface ModelDescription {
  /** [height, width, channels] of an example. */
  readonly shape: readonly [number, number, number];
  /** D = height * width * channels: each sub-pixel is a variable. */
  readonly numVariables: number;
  /** K: each variable is a class in 0..K-1. */
  readonly numClasses: number;
  /** The class that stands for an unknown variable: K/2, the middle of the range, told from a real one by the mask. */
  readonly absorbing: number;
  /** Classes of an input variable, the absorbing one among them. */
  readonly numInputClasses: number;
  readonly networkShape: NetworkShape;
  readonly parameters: readonly ParameterSpec[];
  readonly numParameters: number;
}

/**
 * Describes the order-agnostic model of a config for data of a shape (section 1.4).
 *
 * Throws UsageError where the config does not fit the data.
 */
export function describeModel(
  config: ModelConfig,
  data: { readonly shape: readonly [number, number, number]; readonly numClasses: number },
): ModelDescription {
  const { shape, numClasses } = data;
  if (!Number.isInteger(numClasses) || numClasses < 2 || numClasses > 256)
    throw new UsageError(
      `Variables of ${numClasses} classes cannot be modelled: examples are bytes, 2 to 256.`,
    );
  const [height, width, channels] = shape;
  const networkShape = {
    height,
    width,
    channels,
    maskChannels: channels,
    numInputClasses: numClasses,
    numOutputs: channels * numClasses,
  };
  const parameters = unetParameters(config.network, networkShape);
  return {
    shape,
    numVariables: height * width * channels,
    numClasses,
    absorbing: Math.floor(numClasses / 2),
    numInputClasses: numClasses,
    networkShape,
    parameters,
    numParameters: countParameters(parameters),
  };
}

/** sha256 of a description, hex: two builds that agree on it hold the same parameters in the same layout. */
export function modelDigest(description: ModelDescription): string {
  return createHash('sha256').update(JSON.stringify(description)).digest('hex');
}
