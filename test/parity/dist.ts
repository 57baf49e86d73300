import type { Engine } from '../../shared/engine/engine.js';
import { codingProbabilities } from '../../shared/method/categorical.js';
import { LEAST_PROBABILITY } from '../../shared/outputs/logistic-mixture.js';
import { logisticOutput } from '../../shared/outputs/logistic.js';
import { logisticRgbOutput } from '../../shared/outputs/logistic-rgb.js';
import type { Noise, Output, Place } from '../../shared/outputs/output.js';
import { softmaxOutput } from '../../shared/outputs/softmax.js';
import { likelihoodOf } from '../outputs/likelihood.js';
import type { Fixture } from './fixture.js';
import { channelsFirst, channelsLast } from './model.js';
import { NotBuilt } from './not-built.js';

type Create = (channels: number, numClasses: number, numMixtures: number) => Output;

/** Outputs by the original's names, logistic ones by its rule of the edges. */
const OUTPUTS: Readonly<Record<string, Create>> = {
  softmax: softmaxOutput,
  discretized_logistic: (...sizes) => logisticOutput(...sizes, 'original'),
  discretized_logistic_rgb: (_, ...sizes) => logisticRgbOutput(...sizes, 'original'),
};

/** Kind `dist`: an output distribution by itself: likelihood, gradient, samples, and what a coder is given. */
export async function checkDistribution(engine: Engine, fixture: Fixture): Promise<void> {
  const { dist } = fixture.sideCar.config;
  const create = OUTPUTS[dist];
  if (!create) throw new NotBuilt(`output ${dist}`);
  const variables = new Variables(fixture, create);
  const { output, outputs, x, channels, locations, batch, perPosition } = variables;
  const logs = Float64Array.from(x, (value, i) => variables.logProbabilities(i)[value]!);
  fixture.compare('out/log_prob', sumsOf(logs, perPosition));

  const weight = fixture.floats('in/weight');
  const ofVariables = Float32Array.from(x, (_, i) => weight[Math.floor(i / perPosition)]!);
  const likelihood = await likelihoodOf(engine, output, {
    shape: [batch, channels, locations, 1],
    outputs,
    x: Int32Array.from(channelsFirst(x, batch, locations)),
    weight: Float32Array.from(channelsFirst(ofVariables, batch, locations)),
  });
  const given = channelsLast(likelihood.logProbabilities, batch, locations);
  fixture.compare('out/log_prob', sumsOf(given, perPosition));
  fixture.compare('out/grad_dist_params', channelsLast(likelihood.gradients, batch, locations));
  fixture.compareExactly('out/sample', drawAll(fixture, variables));

  const all = 'out/all_class_log_probs';
  if (fixture.has(all)) {
    const numExamples = fixture.shape(all)[0]!;
    const first = Array.from({ length: (numExamples * x.length) / batch }, (_, i) => i);
    fixture.compare(all, Float64Array.from(first.flatMap((i) => [...variables.logProbabilities(i)])));
  }
  for (const name of fixture.names()) {
    const position = /^out\/coding_probs_position(\d+)$/.exec(name)?.[1];
    if (position === undefined) continue;
    const coded = Array.from({ length: batch }, (_, row) => (row * x.length) / batch + Number(position));
    const probabilities = coded.flatMap((i) => [...codingProbabilities(variables.logProbabilities(i))]);
    fixture.compare(name, Float64Array.from(probabilities));
    fixture.compareExactly(
      `out/coding_x_position${position}`,
      coded.map((i) => x[i]!),
    );
  }
}

/** The recorded variables, in the order of the data, and their distribution. */
class Variables {
  readonly output: Output;
  /** Channels first. */
  readonly outputs: Float32Array;
  readonly x: Int32Array;
  readonly batch: number;
  readonly channels: number;
  readonly locations: number;
  /** Channels that are scored and drawn together. */
  readonly perPosition: number;
  readonly #values: Float64Array;

  constructor(fixture: Fixture, create: Create) {
    const { dist, num_classes, num_mixtures = 1 } = fixture.sideCar.config;
    const [batch, ...rest] = fixture.shape('in/x') as [number, ...number[]];
    this.x = fixture.ints('in/x');
    this.batch = batch;
    this.channels = rest.at(-1)!;
    this.locations = this.x.length / (batch * this.channels);
    this.perPosition = dist === 'discretized_logistic_rgb' ? this.channels : 1;
    this.output = create(this.channels, num_classes, num_mixtures);
    this.outputs = Float32Array.from(channelsFirst(fixture.floats('in/dist_params'), batch, this.locations));
    this.#values = new Float64Array(this.output.numChoices);
  }

  place(i: number): Place {
    const { channels, locations, perPosition, x } = this;
    const location = Math.floor(i / channels);
    return {
      row: Math.floor(location / locations),
      channel: i % channels,
      location: location % locations,
      numLocations: locations,
      stage: 0,
      past: 0,
      earlier: [...x.subarray(i - (i % perPosition), i)],
    };
  }

  logProbabilities(i: number): Float64Array {
    return this.output.logProbabilities(this.outputs, this.place(i), this.#values);
  }
}

/** Draws from the recorded noise: Gumbel for each class of a variable, or for each component of a location and `u` for each variable. */
function drawAll(fixture: Fixture, variables: Variables): Int32Array {
  const { output, outputs, x, channels, perPosition } = variables;
  const gumbel = fixture.floats('in/gumbel');
  const numChoices = fixture.shape('in/gumbel').at(-1)!;
  const u = fixture.has('in/u') ? fixture.floats('in/u') : undefined;
  const drawn = new Int32Array(x.length);
  for (let i = 0; i < x.length; i += perPosition) {
    const location = Math.floor(i / channels);
    const noise: Noise = {
      gumbel: (k) => gumbel[(u ? location : i) * numChoices + k]!,
      uniform: (channel) => unscaled(u![location * channels + channel]!),
    };
    const places = Array.from({ length: perPosition }, (_, nth) => variables.place(i + nth));
    output.draw(outputs, places, noise, drawn.subarray(i, i + perPosition));
  }
  return drawn;
}

/** The uniform number that a recorded probability comes from. */
function unscaled(probability: number): number {
  return (probability - LEAST_PROBABILITY) / (1 - 2 * LEAST_PROBABILITY);
}

/** Sums of each so many numbers. */
function sumsOf(values: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: values.length / size }, (_, n) =>
    values.subarray(n * size, (n + 1) * size).reduce((sum, value) => sum + value, 0),
  );
}
