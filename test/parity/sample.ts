import assert from 'node:assert/strict';
import type { Engine } from '../../shared/engine/engine.js';
import { policyRange } from '../../shared/method/policy.js';
import { Sampler } from '../../shared/model/sample.js';
import { rowOf } from './elbo.js';
import type { Fixture } from './fixture.js';
import { channelsLast, orderAgnosticModel } from './model.js';

/** A smaller gap between the best and the second best class may be decided either way. */
const NEAR_TIE = 1e-4;

/** Kind `sample`: the whole chain of a generation with given orders and noise. */
export async function checkSampling(engine: Engine, fixture: Fixture): Promise<void> {
  const { config, description, parameters } = orderAgnosticModel(fixture);
  const { batch } = fixture.sideCar.config;
  const { numVariables, numClasses, absorbing, networkShape } = description;
  const { channels } = networkShape;
  const locations = numVariables / channels;
  const [policy, sigma, gumbel] = [
    fixture.ints('in/policy'),
    fixture.ints('in/sigma'),
    fixture.floats('in/gumbel'),
  ];
  const chain = fixture.ints('out/chain');
  const recordedMargins = fixture.floats('out/min_argmax_margin');
  const orders = Array.from({ length: batch }, (_, row) => rowOf(sigma, row, numVariables));
  const noise = (nth: number, j: number, variable: number, k: number) =>
    gumbel[((j * batch + nth) * numVariables + variable) * numClasses + k]!;
  const grown = new Int32Array(chain.length);
  const margins = new Float64Array(policy.length).fill(Infinity);

  const sampler = await Sampler.create(engine, description, config, batch);
  await sampler.generate({
    parameters,
    policy,
    orders,
    noise,
    onStep(j, examples, logits) {
      if (j === 0) fixture.compare('out/net_out_first_call', channelsLast(logits, batch, locations));
      const [begin, end] = policyRange(policy, j, numVariables);
      for (let i = 0; i < examples.length; i++) {
        const [nth, variable] = [Math.floor(i / numVariables), i % numVariables];
        const rank = orders[nth]![variable]!;
        const at = j * examples.length + i;
        if (rank >= begin && rank < end) {
          const offset =
            (nth * channels + (variable % channels)) * numClasses * locations +
            Math.floor(variable / channels);
          const perturbed = (k: number) => logits[offset + k * locations]! + noise(nth, j, variable, k);
          margins[j] = Math.min(margins[j]!, marginOf(numClasses, perturbed));
          // The chain goes on from the original's choice, whichever way a near tie fell here.
          if (recordedMargins[j]! < NEAR_TIE) examples[i] = chain[at]!;
        }
        grown[at] = rank < end ? examples[i]! : absorbing;
      }
    },
  });
  fixture.compareExactly('out/chain', grown);
  fixture.compare('out/min_argmax_margin', margins);
  assert.ok(margins.every((margin) => margin >= 0));
}

/** How far the largest of the values lies above the second largest. */
function marginOf(count: number, valueOf: (k: number) => number): number {
  const [best, second] = Array.from({ length: count }, (_, k) => valueOf(k)).sort((a, b) => b - a);
  return best! - second!;
}
