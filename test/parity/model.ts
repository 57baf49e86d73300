import assert from 'node:assert/strict';
import type { ModelConfig, NetworkConfig } from '../../shared/config/schema.js';
import { describeModel, type ModelDescription } from '../../shared/model/description.js';
import { fromOriginal, toOriginal } from '../../shared/model/layout.js';
import { countParameters, type ParameterSpec } from '../../shared/networks/network.js';
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
export function orderAgnosticModel(fixture: Fixture): CaseModel {
  const { sideCar } = fixture;
  const { ce_term, data_shape, num_classes, architecture } = sideCar.config;
  const lacking = lackingIn(sideCar.config);
  if (lacking.length > 0) throw new NotBuilt(lacking.join(', '));
  const config: ModelConfig = {
    kind: 'oa',
    output: 'softmax',
    ceWeight: ce_term,
    timeSteps: 'uniform',
    network: unetConfig(architecture),
  };
  const shape = data_shape as [number, number, number];
  const description = describeModel(config, { shape, numClasses: num_classes });
  if (sideCar.num_params !== undefined) assert.equal(description.numParameters, sideCar.num_params);
  return { config, description, parameters: readParameters(fixture, description.parameters) };
}

/** What of a case's model is not built. */
export function lackingIn(config: CaseConfig): string[] {
  const { net, model, output_distribution = 'softmax', num_classes, data_shape } = config;
  const lacking = [];
  if (net !== 'unet') lacking.push(`network ${net}`);
  else if (data_shape.length !== 3) lacking.push(`network unet for data of ${data_shape.length} dimensions`);
  if (model === 'bit_ao') lacking.push(upscaleName(config));
  else if (model !== 'ao_arm') lacking.push(`model ${model}`);
  else if (output_distribution !== 'softmax') lacking.push(`output ${output_distribution}`);
  else if (num_classes > 256) lacking.push(`variables of ${num_classes} classes`);
  return lacking;
}

export function upscaleName({ upscale_mode, upscale_direct_parametrization }: CaseConfig): string {
  const parametrisation = upscale_direct_parametrization ? 'direct' : 'data';
  return `upscale stages (${upscale_mode}, ${parametrisation} parametrisation)`;
}

/** GroupNorm's groups are the original's constant. */
export function unetConfig(architecture: Architecture): NetworkConfig {
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
