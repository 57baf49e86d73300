import type { Engine } from '../../shared/engine/engine.js';
import { fixedOrderBound, policyRange, randomOrderBound } from '../../shared/method/policy.js';
import { Evaluator, type Bounds } from '../../shared/model/evaluate.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { logitsProgram } from '../../shared/model/program.js';
import type { Fixture } from './fixture.js';
import { channelsLast, orderAgnosticModel, type CaseModel } from './model.js';
import { rowOf } from './elbo.js';

/** Kind `policy`: both estimators of the bound under a policy, and the exact one of a fixed order. */
export async function checkPolicy(engine: Engine, fixture: Fixture): Promise<void> {
  const model = orderAgnosticModel(fixture);
  const { config, description, parameters } = model;
  const { numVariables } = description;
  const { batch } = fixture.sideCar.config;
  const [policy, steps, sigma] = [fixture.ints('in/policy'), fixture.ints('in/j'), fixture.ints('in/sigma')];
  const examples = Uint8Array.from(fixture.ints('in/x'));
  const fixed = fixture.ints('in/sigma_fixed');
  const fixedForAll = Int32Array.from({ length: batch * numVariables }, (_, i) => fixed[i % numVariables]!);
  const evaluator = await Evaluator.create(engine, description, config, batch);

  const timeSteps = steps.map((j) => policy[j]!);
  fixture.compareExactly('out/t', timeSteps);
  const random = await evaluator.run({ parameters, examples, orders: sigma, timeSteps });
  fixture.compare('out/elbo_of_t_policy', random.elboOfT);
  fixture.compare('out/nce_policy', random.nce);
  fixture.compare(
    'out/elbo_policy',
    eachExample(random, (bound, row) => randomOrderBound(policy, steps[row]!, numVariables, bound)),
  );
  fixture.compare('out/net_out', await logitsOf(engine, model, batch, examples, sigma, timeSteps));

  /** Estimates for the fixed order, from one step of the policy for each example. */
  const fixedOrder = async (drawn: Int32Array) => {
    const ends = drawn.map((j) => policyRange(policy, j, numVariables)[1]);
    const times = drawn.map((j) => policy[j]!);
    const bounds = await evaluator.run({ parameters, examples, orders: fixedForAll, timeSteps: times, ends });
    return eachExample(bounds, (bound) => fixedOrderBound(policy, bound));
  };
  fixture.compare('out/log_prob_fixed_order', await fixedOrder(steps));
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

async function logitsOf(
  engine: Engine,
  { config, description, parameters }: CaseModel,
  batch: number,
  examples: Uint8Array,
  sigma: Int32Array,
  timeSteps: Int32Array,
): Promise<Float64Array> {
  const { numVariables, numClasses, networkShape } = description;
  const executable = await engine.compile(logitsProgram(description, config, batch));
  const inputs = new ModelInputs(description, executable.program);
  timeSteps.forEach((timeStep, row) => {
    const example = examples.subarray(row * numVariables, (row + 1) * numVariables);
    inputs.setKnown(row, example, rowOf(sigma, row, numVariables), timeStep);
  });
  const logits = new Float32Array(batch * numVariables * numClasses);
  await executable.run({ parameters, inputs: inputs.arrays, outputs: { logits } });
  await executable.dispose();
  return channelsLast(logits, batch, networkShape.height * networkShape.width);
}
