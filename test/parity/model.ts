import assert from 'node:assert/strict';
import type { ModelConfig, NetworkConfig } from '../../shared/config/schema.js';
import { allocateClasses, type Classes } from '../../shared/method/classes.js';
import { describeModel, type ModelDescription } from '../../shared/model/description.js';
import { fromOriginal, toOriginal } from '../../shared/model/layout.js';
import { countParameters, type ParameterSpec } from '../../shared/networks/network.js';
import type { Place } from '../../shared/outputs/output.js';
import type { Architecture, CaseConfig } from './cases.js';
import type { Fixture } from './fixture.js';
import { NotBuilt } from './not-built.js';

/** The product's model of a case. */
export interface CaseModel {
  readonly config: ModelConfig;
  readonly description: ModelDescription;
  readonly parameters: Float32Array;
}

/** Throws NotBuilt where the case is of a model that the project lacks. */
export function modelOf(fixture: Fixture): CaseModel {
  const { sideCar } = fixture;
  const { data_shape, num_classes } = sideCar.config;
  const config = modelConfig(sideCar.config);
  const shape = data_shape.length === 3 ? data_shape : [1, ...data_shape];
  const description = describeModel(config, {
    shape: shape as [number, number, number],
    numClasses: num_classes,
  });
  if (sideCar.num_params !== undefined) assert.equal(description.numParameters, sideCar.num_params);
  return { config, description, parameters: readParameters(fixture, description.parameters) };
}

const OUTPUTS: Readonly<Record<string, ModelConfig['output']>> = {
  softmax: 'softmax',
  discretized_logistic: 'logistic',
  discretized_logistic_rgb: 'logistic-rgb',
};
const MAPS: Readonly<Record<string, ModelConfig['upscale']['map']>> = {
  zero_least_significant: 'zero',
  augment_least_significant: 'augment',
  augment_text8: 'augment-text8',
};
const KINDS: Readonly<Record<string, ModelConfig['kind']>> = { ao_arm: 'oa', bit_ao: 'upscale' };

/** The product's settings of a case's model; logistic outputs by the original's edge rule. */
export function modelConfig(of: CaseConfig): ModelConfig {
  const { model, output_distribution = 'softmax', num_mixtures = 30, ce_term } = of;
  const known = <T>(what: string, table: Readonly<Record<string, T>>, name: string): T => {
    if (!Object.hasOwn(table, name)) throw new NotBuilt(`${what} ${name}`);
    return table[name]!;
  };
  return {
    kind: known('model', KINDS, model),
    output: model === 'bit_ao' ? 'softmax' : known('output', OUTPUTS, output_distribution),
    mixtures: num_mixtures,
    edges: 'original',
    upscale: {
      base: of.upscale_branch_factor ?? 2,
      map: known('stages', MAPS, of.upscale_mode ?? 'zero_least_significant'),
      parametrization: of.upscale_direct_parametrization ? 'direct' : 'data',
    },
    ceWeight: ce_term,
    timeSteps: 'uniform',
    network: networkConfig(of.net, of.architecture),
  };
}

/** GroupNorm's groups are the original's constant. */
export function networkConfig(net: string, architecture: Architecture): NetworkConfig {
  switch (net) {
    case 'unet':
      return {
        kind: 'unet',
        channels: architecture.n_channels,
        multipliers: architecture.ch_mult,
        blocks: architecture.num_res_blocks,
        attention: architecture.attn_resolutions,
        heads: architecture.num_heads,
        groups: 32,
        dropout: 0,
      };
    case 'transformer':
      return {
        kind: 'transformer',
        layers: architecture.num_layers,
        width: architecture.emb_dim,
        heads: architecture.num_heads,
        mlpWidth: architecture.mlp_dim,
        dropout: 0,
        attentionDropout: 0,
      };
    case 'diffwave':
      return {
        kind: 'diffwave',
        channels: architecture.features,
        blocks: architecture.num_blocks,
        dilationCycle: architecture.dilation_cycle,
      };
    default:
      throw new NotBuilt(`network ${net}`);
  }
}

/** Recorded examples as the product holds them. */
export function classesOf(x: Int32Array, { numClasses }: ModelDescription): Classes {
  const classes = allocateClasses(numClasses, x.length);
  classes.set(x);
  return classes;
}

/** Where the distribution of a variable stands in the outputs of a batch. */
export function placeOf(
  { shape: [height, width, channels] }: ModelDescription,
  row: number,
  variable: number,
  stage = 0,
  past = 0,
): Place {
  return {
    row,
    channel: variable % channels,
    location: Math.floor(variable / channels),
    numLocations: height * width,
    stage,
    past,
  };
}

/** All parameters of a case, flat, in memory order; the case must have these and no others. */
export function readParameters(fixture: Fixture, specs: readonly ParameterSpec[]): Float32Array {
  assert.deepEqual([...fixture.parameters.keys()].sort(), specs.map(({ name }) => name).sort());
  const flat = new Float32Array(countParameters(specs));
  forEachTensor(specs, flat, (spec, memory) => {
    const original = fixture.parameters.get(spec.name) as Float32Array;
    assert.equal(original.length, memory.length, spec.name);
    fromOriginal(spec, original, memory);
  });
  return flat;
}

/** Visits each tensor of a flat array in the original's order, by its name. */
export function inOriginalOrder(
  specs: readonly ParameterSpec[],
  flat: Float32Array,
  visit: (name: string, original: Float32Array) => void,
): void {
  forEachTensor(specs, flat, (spec, memory) => {
    const original = new Float32Array(memory.length);
    toOriginal(spec, memory, original);
    visit(spec.name, original);
  });
}

function forEachTensor(
  specs: readonly ParameterSpec[],
  flat: Float32Array,
  visit: (spec: ParameterSpec, memory: Float32Array) => void,
): void {
  let offset = 0;
  for (const spec of specs) {
    const size = countParameters([spec]);
    visit(spec, flat.subarray(offset, offset + size));
    offset += size;
  }
}

/** Maps from [batch, channels, locations] to the original's [batch, locations, channels]. */
export function channelsLast(
  maps: Float32Array | Int32Array,
  batch: number,
  locations: number,
): Float64Array {
  const channels = maps.length / (batch * locations);
  return Float64Array.from(maps, (_, i) => {
    const [row, location, channel] = [
      Math.floor(i / (channels * locations)),
      Math.floor(i / channels) % locations,
      i % channels,
    ];
    return maps[(row * channels + channel) * locations + location]!;
  });
}

/** The inverse of `channelsLast`. */
export function channelsFirst(values: ArrayLike<number>, batch: number, locations: number): Float64Array {
  const channels = values.length / (batch * locations);
  return Float64Array.from(values, (_, i) => {
    const [row, channel, location] = [
      Math.floor(i / (channels * locations)),
      Math.floor(i / locations) % channels,
      i % locations,
    ];
    return values[(row * locations + location) * channels + channel]!;
  });
}
