import type { Engine } from '../../shared/engine/engine.js';
import { boundOf, summarize, stageAndTime } from '../../shared/method/bound.js';
import { stageMapOf } from '../../shared/model/description.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { outputsProgram, trainingProgram } from '../../shared/model/program.js';
import type { ParameterSpec } from '../../shared/networks/network.js';
import type { Place } from '../../shared/outputs/output.js';
import { compareActivations } from './activations.js';
import { norm } from './comparison.js';
import type { Fixture } from './fixture.js';
import { channelsLast, classesOf, inOriginalOrder, modelOf, placeOf, type CaseModel } from './model.js';
import { setTrainingRow, rowOf } from './rows.js';

/** Share of the global gradient norm that a gradient which is exactly zero may show. */
export const VANISHING = 1e-5;

/**
 * Kind `elbo`: what the network is given and gives, `inside` what its modules give too, the loss and its terms, and every
 * gradient.
 */
export async function checkElbo(engine: Engine, fixture: Fixture, inside = true): Promise<void> {
  const model = modelOf(fixture);
  const { config, description, parameters } = model;
  const { batch } = fixture.sideCar.config;
  const { numVariables, numPositions, networkShape } = description;
  const locations = networkShape.height * networkShape.width;
  const x = fixture.ints('in/x');
  const examples = classesOf(x, description);
  const orders = fixture.ints('in/sigma');
  const steps = fixture.ints('in/t');

  const training = await engine.compile(trainingProgram(description, config, batch));
  const inputs = new ModelInputs(description, config, training.program);
  for (let row = 0; row < batch; row++) {
    const example = rowOf(examples, row, numVariables);
    setTrainingRow(inputs, model, row, batch, example, rowOf(orders, row, numPositions), steps[row]!);
  }
  fixture.compareExactly(
    'out/net_input',
    channelsLast(inputs.arrays.classes as Int32Array, batch, locations),
  );
  compareMask(fixture, inputs, orders, steps, batch, locations);

  if (inside) await compareActivations(engine, fixture, model, inputs.arrays);
  const forward = await engine.compile(outputsProgram(description, config, batch));
  const outputs = new Float32Array(batch * networkShape.numOutputs * locations);
  const read = Object.fromEntries(forward.program.inputs.map(({ name }) => [name, inputs.arrays[name]!]));
  await forward.run({ parameters, inputs: read, outputs: { outputs } });
  await forward.dispose();
  fixture.compare('out/net_out', channelsLast(outputs, batch, locations));
  compareLikelihoods(fixture, model, inputs, outputs, x, steps);

  const results = { logLikelihood: new Float32Array(batch), loss: new Float32Array(1) };
  const gradients = new Float32Array(parameters.length);
  await training.run({ parameters, inputs: inputs.arrays, outputs: results, gradients });
  await training.dispose();
  fixture.compare('out/loss', results.loss);
  const nats = results.logLikelihood;
  const bounds = Array.from(nats, (value, row) => boundOf(value, steps[row]!, description));
  for (const [name, values] of [
    ['out/elbo', bounds.map(({ elbo }) => elbo)],
    ['out/elbo_of_t', bounds.map(({ elboOfT }) => elboOfT)],
    ['out/nce', bounds.map(({ nce }) => nce)],
    ['out/loss', [summarize(steps, nats, description, config.ceWeight).loss]],
  ] as const)
    fixture.compare(name, Float64Array.from(values));
  compareGradients(fixture, description.parameters, gradients);
}

/** Networks of tokens are not told the mask, which is recorded all the same. */
function compareMask(
  fixture: Fixture,
  { arrays }: ModelInputs,
  orders: Int32Array,
  steps: Int32Array,
  batch: number,
  locations: number,
): void {
  const { mask } = arrays;
  const known = (rank: number, i: number) => Number(rank < steps[Math.floor((i * batch) / orders.length)]!);
  fixture.compareExactly(
    'out/net_mask',
    mask ? channelsLast(mask as Float32Array, batch, locations) : orders.map(known),
  );
}

/** Every gradient; those that are exactly zero to a share of the global norm. */
export function compareGradients(
  fixture: Fixture,
  specs: readonly ParameterSpec[],
  gradients: Float32Array,
): void {
  const globalNorm = norm(gradients);
  fixture.compare('out/grad_global_norm', Float64Array.of(globalNorm));
  const vanishing = fixture.sideCar.parameters_with_exactly_zero_gradient ?? [];
  inOriginalOrder(specs, gradients, (name, gradient) => {
    if (vanishing.includes(name)) fixture.compareWithin(`grad/${name}`, gradient, VANISHING * globalNorm);
    else fixture.compare(`grad/${name}`, gradient);
  });
}

/** Stages, and the distribution of each variable, in the order of the data. */
function compareLikelihoods(
  fixture: Fixture,
  { config, description }: CaseModel,
  { output }: ModelInputs,
  outputs: Float32Array,
  x: Int32Array,
  steps: Int32Array,
): void {
  const { numVariables, numPositions, numStages, numClasses, variablesPerPosition } = description;
  const map = stageMapOf(config, numClasses);
  const stages = steps.map((step) => stageAndTime(step, numPositions).stage);
  const stageOf = (i: number) => stages[Math.floor(i / numVariables)]!;
  const past = x.map((value, i) => map.coarsen(value, numStages - stageOf(i)));
  const future = x.map((value, i) => map.coarsen(value, numStages - 1 - stageOf(i)));
  const all = new Float64Array(x.length * output.numChoices);
  const logs = Float64Array.from(x, (_, i) => {
    const [row, variable] = [Math.floor(i / numVariables), i % numVariables];
    const earlier = [...x.subarray(i - (variable % variablesPerPosition), i)];
    const place: Place = { ...placeOf(description, row, variable, stageOf(i), past[i]), earlier };
    const into = all.subarray(i * output.numChoices, (i + 1) * output.numChoices);
    output.logProbabilities(outputs, place, into);
    return into[Array.from(into.keys()).find((choice) => output.classOf(choice, place) === future[i])!]!;
  });
  if (config.kind === 'oa') {
    // The channels of a pixel that are generated together are recorded together.
    const perPosition = Float64Array.from({ length: x.length / variablesPerPosition }, (_, p) =>
      logs
        .subarray(p * variablesPerPosition, (p + 1) * variablesPerPosition)
        .reduce((sum, value) => sum + value, 0),
    );
    return fixture.compare('out/log_prob', perPosition);
  }
  fixture.compareExactly('out/stage', stages);
  fixture.compareExactly(
    'out/t_in_stage',
    steps.map((step) => stageAndTime(step, numPositions).time),
  );
  fixture.compareExactly('out/x_past', past);
  fixture.compareExactly('out/x_future', future);
  fixture.compare('out/log_prob_future_given_past', logs);
  if (fixture.bases('out/stage_probs').length > 0) fixture.compare('out/stage_probs', all.map(Math.exp));
  if (fixture.bases('out/stage_log_probs').length > 0) fixture.compare('out/stage_log_probs', all);
}
