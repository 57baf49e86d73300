import { createHash } from 'node:crypto';
import type { ModelConfig } from '../config/schema.js';
import { UsageError } from '../errors.js';
import type { Process } from '../method/bound.js';
import { createStageMap, type StageMap } from '../method/stages.js';
import type { Steps } from '../method/time-steps.js';
import { networkParameters } from '../networks/create.js';
import {
  countParameters,
  type Factorization,
  type NetworkShape,
  type ParameterSpec,
} from '../networks/network.js';
import { createOutput } from '../outputs/create.js';

/** The data that a model is made for. */
export interface ModelData {
  /** [height, width, channels] of an example, its context included. */
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  /** Leading variables of an example that are told to the network and not learned; absent: none. */
  readonly numContext?: number;
}

/** A model's sizes and parameters, known without building it. */
export interface ModelDescription extends Process, Steps {
  readonly shape: readonly [number, number, number];
  readonly numContext: number;
  /** Variables that are generated together: 1, or a pixel's channels. */
  readonly variablesPerPosition: number;
  /** K: each variable is a class in 0..K-1. */
  readonly numClasses: number;
  /** The class that stands for an unknown variable (sections 1.4 and 2.1). */
  readonly absorbing: number;
  /** Classes of an input variable, the absorbing one among them. */
  readonly numInputClasses: number;
  /** Steps of the bound: stages times positions; 1 where one network call gives all of an order's likelihood. */
  readonly numSteps: number;
  readonly networkShape: NetworkShape;
  readonly parameters: readonly ParameterSpec[];
  readonly numParameters: number;
}

const FACTORIZATIONS: Readonly<Record<ModelConfig['kind'], Factorization>> = {
  oa: 'any-order',
  upscale: 'any-order',
  arm: 'left-to-right',
  permuted: 'permuted',
};

/**
 * Describes the model of a config for data of a shape.
 *
 * Throws UsageError where the config does not fit the data or the settings do not fit together.
 */
export function describeModel(config: ModelConfig, data: ModelData): ModelDescription {
  const { shape, numClasses, numContext = 0 } = data;
  if (!Number.isInteger(numClasses) || numClasses < 2 || numClasses > 65_536)
    throw new UsageError(`Variables of ${numClasses} classes cannot be modelled: 2 to 65,536.`);
  const [height, width, channels] = shape;
  const factorization = FACTORIZATIONS[config.kind];
  const { numStages, absorbing, numInputClasses } = stageMapOf(config, numClasses);
  const variablesPerPosition = config.output === 'logistic-rgb' ? channels : 1;
  const numVariables = height * width * channels - numContext;
  const numPositions = numVariables / variablesPerPosition;
  const networkShape: NetworkShape = {
    height,
    width,
    channels,
    maskChannels: channels / variablesPerPosition + (config.kind === 'upscale' ? numStages : 0),
    numInputClasses,
    numOutputs: createOutput(config, channels, numClasses).numOutputs,
    factorization,
  };
  const parameters = networkParameters(config.network, networkShape);
  return {
    shape,
    numVariables,
    numContext,
    variablesPerPosition,
    numPositions,
    numStages,
    numSteps: factorization === 'any-order' ? numStages * numPositions : 1,
    numClasses,
    absorbing,
    numInputClasses,
    networkShape,
    parameters,
    numParameters: countParameters(parameters),
  };
}

/** How classes come to be: stage by stage, or at once from the absorbing class. */
export function stageMapOf(config: ModelConfig, numClasses: number): StageMap {
  const { kind, network, upscale } = config;
  if (kind === 'upscale') return createStageMap(upscale.map, numClasses, upscale.base);
  // A network that embeds tokens alone tells unknown ones by a class of their own; others by the mask.
  const isToken = network.kind === 'transformer' && kind === 'oa';
  const absorbing = isToken ? numClasses : kind === 'oa' ? Math.floor(numClasses / 2) : 0;
  return {
    numStages: 1,
    numClasses,
    base: numClasses,
    numInputClasses: isToken ? numClasses + 1 : numClasses,
    absorbing,
    coarsen: (x, r) => (r === 0 ? x : absorbing),
  };
}

/** sha256 of a description, hex: two builds that agree on it hold the same parameters in the same layout. */
export function modelDigest(description: ModelDescription): string {
  return createHash('sha256').update(JSON.stringify(description)).digest('hex');
}
