import type { Engine } from '../../shared/engine/engine.js';
import type { Classes } from '../../shared/method/classes.js';
import { fixedOrderBound, policyRange, randomOrderBound } from '../../shared/method/policy.js';
import { Evaluator, type Bounds } from '../../shared/model/evaluate.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { outputsProgram } from '../../shared/model/program.js';
import type { Fixture } from './fixture.js';
import { channelsLast, classesOf, modelOf, type CaseModel } from './model.js';
import { rowOf } from './rows.js';

/** Kind `policy`: both estimators of the bound under a policy, and the exact one of a fixed order. */
export async function checkPolicy(engine: Engine, fixture: Fixture): Promise<void> {
  const model = modelOf(fixture);
  const { config, description, parameters } = model;
  const { numPositions, numStages, numSteps } = description;
  const { batch } = fixture.sideCar.config;
  const sigma = fixture.ints('in/sigma');
  const examples = classesOf(fixture.ints('in/x'), description);
  // Recorded for each stage from 0 on.
  const recorded = fixture.ints('in/policy');
  const numCalls = recorded.length / numStages;
  const policy = recorded.map((t, j) => Math.floor(j / numCalls) * numPositions + t);
  const stages = numStages > 1 ? fixture.ints('in/stage') : new Int32Array(batch);
  const calls = fixture.ints('in/j').map((j, row) => stages[row]! * numCalls + j);
  const fixed = fixture.ints('in/sigma_fixed');
  const evaluator = await Evaluator.create(engine, description, config, batch);

  const timeSteps = calls.map((j) => policy[j]!);
  fixture.compareExactly('out/t', timeSteps);
  const random = await evaluator.run({ parameters, examples, orders: sigma, timeSteps });
  fixture.compare('out/elbo_of_t_policy', random.elboOfT);
  fixture.compare('out/nce_policy', random.nce);
  fixture.compare(
    'out/elbo_policy',
    eachExample(random, (bound, row) => randomOrderBound(policy, calls[row]!, numSteps, bound)),
  );
  fixture.compare('out/net_out', await outputsOf(engine, model, batch, examples, sigma, timeSteps));

  /** Estimates for the fixed order, from one call of the policy for each example. */
  const fixedOrder = async (drawn: Int32Array) => {
    const ends = drawn.map((j) => policyRange(policy, j, numSteps)[1]);
    const times = drawn.map((j) => policy[j]!);
    const orders = new Int32Array(batch * numPositions);
    times.forEach((step, row) =>
      orders.set(rowOf(fixed, Math.floor(step / numPositions), numPositions), row * numPositions),
    );
    const bounds = await evaluator.run({ parameters, examples, orders, timeSteps: times, ends });
    return eachExample(bounds, (bound) => fixedOrderBound(policy, bound));
  };
  fixture.compare('out/log_prob_fixed_order', await fixedOrder(calls));
  const exact = new Float64Array(batch);
  for (let j = 0; j < policy.length; j++) {
    const estimates = await fixedOrder(new Int32Array(batch).fill(j));
    estimates.forEach((value, row) => (exact[row]! += value / policy.length));
  }
  fixture.compare('out/exact_log_prob_fixed_order_bpd', exact);
}

function eachExample(
  { elbo, elboOfT, nce }: Bounds,
  estimate: (bound: { elbo: number; elboOfT: number; nce: number }, row: number) => number,
): Float64Array {
  return elbo.map((value, row) => estimate({ elbo: value, elboOfT: elboOfT[row]!, nce: nce[row]! }, row));
}

async function outputsOf(
  engine: Engine,
  { config, description, parameters }: CaseModel,
  batch: number,
  examples: Classes,
  sigma: Int32Array,
  timeSteps: Int32Array,
): Promise<Float64Array> {
  const { numVariables, numPositions, networkShape } = description;
  const { height, width, numOutputs } = networkShape;
  const executable = await engine.compile(outputsProgram(description, config, batch));
  const inputs = new ModelInputs(description, config, executable.program);
  timeSteps.forEach((step, row) => {
    const example = rowOf(examples, row, numVariables);
    inputs.setExample(row, example, rowOf(sigma, row, numPositions), step);
  });
  const outputs = new Float32Array(batch * numOutputs * height * width);
  await executable.run({ parameters, inputs: inputs.arrays, outputs: { outputs } });
  await executable.dispose();
  return channelsLast(outputs, batch, height * width);
}
