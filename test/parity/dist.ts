import assert from 'node:assert/strict';
import type { Engine, Program } from '../../shared/engine/engine.js';
import { codingProbabilities, drawClass, logProbabilities } from '../../shared/method/categorical.js';
import { tf } from '../../shared/networks/tensors.js';
import type { Fixture } from './fixture.js';
import { channelsFirst, channelsLast } from './model.js';
import { NotBuilt } from './not-built.js';

/** Kind `dist`: an output distribution by itself: likelihood, gradient, samples, and what a coder is given. */
export async function checkDistribution(engine: Engine, fixture: Fixture): Promise<void> {
  const { dist } = fixture.sideCar.config;
  if (dist !== 'softmax') throw new NotBuilt(`output ${dist}`);
  const logits = fixture.floats('in/dist_params');
  const x = fixture.ints('in/x');
  const gumbel = fixture.floats('in/gumbel');
  const numClasses = logits.length / x.length;
  const ofVariable = new Float64Array(numClasses);
  const logProbabilitiesOf = (variable: number) =>
    logProbabilities(logits, variable * numClasses, 1, ofVariable);
  fixture.compare(
    'out/log_prob',
    Float64Array.from(x, (value, variable) => logProbabilitiesOf(variable)[value]!),
  );
  fixture.compareExactly(
    'out/sample',
    Int32Array.from(x, (_, variable) => {
      const noise = (k: number) => gumbel[variable * numClasses + k]!;
      return drawClass(logits, variable * numClasses, 1, numClasses, noise);
    }),
  );
  fixture.compare('out/grad_dist_params', await gradientOf(engine, fixture, logits, x, numClasses));

  for (const name of fixture.names()) {
    const position = /^out\/coding_probs_position(\d+)$/.exec(name)?.[1];
    if (position === undefined) continue;
    const coded = variablesAt(Number(position), fixture.shape('in/x'));
    const probabilities = coded.flatMap((variable) => [...codingProbabilities(logProbabilitiesOf(variable))]);
    fixture.compare(name, Float64Array.from(probabilities));
    fixture.compareExactly(
      `out/coding_x_position${position}`,
      coded.map((variable) => x[variable]!),
    );
  }
}

/** Indices of the variables at one place of each example. */
function variablesAt(position: number, [batch, ...shape]: readonly number[]): number[] {
  const size = shape.reduce((product, extent) => product * extent, 1);
  assert.ok(position < size);
  return Array.from({ length: batch! }, (_, row) => row * size + position);
}

/** Of the weighted sum of all log-likelihoods, by the engine. */
async function gradientOf(
  engine: Engine,
  fixture: Fixture,
  logits: Float32Array,
  x: Int32Array,
  numClasses: number,
): Promise<Float64Array> {
  const [batch, ...rest] = fixture.shape('in/x') as [number, ...number[]];
  const channels = rest.at(-1)!;
  const locations = rest.slice(0, -1).reduce((product, extent) => product * extent, 1);
  const first = (values: ArrayLike<number>) => channelsFirst(values, batch, locations);
  const program: Program = {
    name: fixture.name,
    parameters: [{ name: 'logits', shape: [batch, channels * numClasses, locations, 1] }],
    inputs: [
      { name: 'target', dtype: 'int32', shape: [batch, channels, locations, 1] },
      { name: 'weight', dtype: 'float32', shape: [batch, channels, locations, 1] },
    ],
    outputs: [{ name: 'sum', shape: [] }],
    gradientOf: 'sum',
    build: (ops, [parameter], { target, weight }) => ({
      sum: tf.sum(ops.logLikelihood(parameter!, target!, weight!, numClasses)),
    }),
  };
  const gradients = new Float32Array(logits.length);
  const executable = await engine.compile(program);
  await executable.run({
    parameters: Float32Array.from(first(logits)),
    inputs: {
      target: Int32Array.from(first(x)),
      weight: Float32Array.from(first(fixture.floats('in/weight'))),
    },
    outputs: { sum: new Float32Array(1) },
    gradients,
  });
  await executable.dispose();
  return channelsLast(gradients, batch, locations);
}
