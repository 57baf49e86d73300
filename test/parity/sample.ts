import assert from 'node:assert/strict';
import type { Engine } from '../../shared/engine/engine.js';
import { policyRange } from '../../shared/method/policy.js';
import { stageAndTime } from '../../shared/method/bound.js';
import { ExampleGenerator } from '../../shared/model/generator.js';
import { drawnWith } from '../../shared/model/sample.js';
import { createOutput } from '../../shared/outputs/create.js';
import type { Fixture } from './fixture.js';
import { channelsLast, modelOf, placeOf } from './model.js';
import { rowOf } from './rows.js';

/** A smaller gap between the best and the second best class may be decided either way. */
const NEAR_TIE = 1e-4;

/** Kind `sample`: the whole chain of a generation with given orders and noise. */
export async function checkSampling(engine: Engine, fixture: Fixture): Promise<void> {
  const { config, description, parameters } = modelOf(fixture);
  const { batch } = fixture.sideCar.config;
  const { numVariables, numPositions, numStages, numClasses, shape } = description;
  const output = createOutput(config, shape[2], numClasses);
  const [sigma, gumbel, chain] = [
    fixture.ints('in/sigma'),
    fixture.floats('in/gumbel'),
    fixture.ints('out/chain'),
  ];
  // The same in every stage.
  const recorded = fixture.ints('in/policy');
  const policy = Int32Array.from({ length: numStages * recorded.length }, (_, j) => {
    const stage = Math.floor(j / recorded.length);
    return stage * numPositions + recorded[j - stage * recorded.length]!;
  });
  const recordedMargins = fixture.floats('out/min_argmax_margin');
  const orders = Array.from({ length: batch }, (_, row) =>
    Array.from({ length: numStages }, (_, stage) => rowOf(sigma, stage * batch + row, numPositions)),
  );
  const gumbelOf = (nth: number, j: number, variable: number, k: number) =>
    gumbel[((j * batch + nth) * numVariables + variable) * output.numChoices + k]!;
  const grown = new Int32Array(chain.length);
  const margins = new Float64Array(policy.length).fill(Infinity);
  const values = new Float64Array(output.numChoices);
  let before = orders.map(() => new Int32Array(numVariables).fill(description.absorbing));

  const generator = await ExampleGenerator.create(engine, description, config, batch);
  await generator.run({
    parameters,
    policy,
    orders,
    choose: drawnWith((nth, j, variable) => ({
      gumbel: (k) => gumbelOf(nth, j, variable, k),
      uniform: () => assert.fail('no case draws from a mixture'),
    })),
    onStep(j, states, outputs) {
      const locations = shape[0] * shape[1];
      if (j === 0) fixture.compare('out/net_out_first_call', channelsLast(outputs, batch, locations));
      const [begin, end] = policyRange(policy, j, numStages * numPositions);
      const { stage, time } = stageAndTime(begin, numPositions);
      states.forEach(({ classes }, nth) => {
        orders[nth]![stage]!.forEach((rank, variable) => {
          const at = (j * batch + nth) * numVariables + variable;
          if (rank >= time && rank < time + end - begin) {
            const place = placeOf(description, nth, variable, stage, before[nth]![variable]);
            output.logProbabilities(outputs, place, values);
            const perturbed = values.map((value, k) => value + gumbelOf(nth, j, variable, k));
            margins[j] = Math.min(margins[j]!, marginOf(perturbed));
            // The chain goes on from the original's choice, whichever way a near tie fell here.
            if (recordedMargins[j]! < NEAR_TIE) classes[variable] = chain[at]!;
          }
          grown[at] = classes[variable]!;
        });
      });
      before = states.map(({ classes }) => classes.slice());
    },
  });
  fixture.compareExactly('out/chain', grown);
  fixture.compare('out/min_argmax_margin', margins);
  assert.ok(margins.every((margin) => margin >= 0));
}

/** How far the largest of the values lies above the second largest. */
function marginOf(values: Float64Array): number {
  const [best, second] = values.toSorted().reverse();
  return best! - second!;
}
