import type { Engine } from '../../shared/engine/engine.js';
import { boundOf, summarize, trainingWeight } from '../../shared/method/bound.js';
import { logProbabilities } from '../../shared/method/categorical.js';
import type { ModelDescription } from '../../shared/model/description.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { logitsProgram, trainingProgram } from '../../shared/model/program.js';
import type { ParameterSpec } from '../../shared/networks/network.js';
import { createUnet } from '../../shared/networks/unet/unet.js';
import { compareActivations } from './activations.js';
import { norm } from './comparison.js';
import type { Fixture } from './fixture.js';
import { channelsLast, inOriginalOrder, orderAgnosticModel } from './model.js';

/** Share of the global gradient norm that a gradient which is exactly zero may show. */
export const VANISHING = 1e-5;

/** Kind `elbo`: what the network is given and gives, the loss and its terms, and every gradient. */
export async function checkElbo(engine: Engine, fixture: Fixture): Promise<void> {
  const { config, description, parameters } = orderAgnosticModel(fixture);
  const { batch } = fixture.sideCar.config;
  const { numVariables, networkShape } = description;
  const locations = networkShape.height * networkShape.width;
  const [x, sigma, timeSteps] = ['in/x', 'in/sigma', 'in/t'].map((name) => fixture.ints(name)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];

  const training = await engine.compile(trainingProgram(description, config, batch));
  const inputs = new ModelInputs(description, training.program);
  for (let row = 0; row < batch; row++) {
    const example = Uint8Array.from(rowOf(x, row, numVariables));
    const order = rowOf(sigma, row, numVariables);
    const timeStep = timeSteps[row]!;
    inputs.setKnown(row, example, order, timeStep);
    inputs.setScored(row, example, order, timeStep, numVariables);
    inputs.arrays.weight![row] = trainingWeight(timeStep, numVariables, config.ceWeight) / batch;
  }
  const { classes, mask, time } = inputs.arrays;
  fixture.compareExactly('out/net_input', channelsLast(classes as Int32Array, batch, locations));
  fixture.compareExactly('out/net_mask', channelsLast(mask as Float32Array, batch, locations));

  const network = createUnet(config.network, networkShape);
  const run = { parameters, inputs: inputs.arrays };
  await compareActivations(engine, fixture, network, config.network, networkShape, run);
  const forward = await engine.compile(logitsProgram(description, config, batch));
  const logits = new Float32Array(batch * networkShape.numOutputs * locations);
  await forward.run({
    parameters,
    inputs: { classes: classes!, mask: mask!, time: time! },
    outputs: { logits },
  });
  await forward.dispose();
  fixture.compare('out/net_out', channelsLast(logits, batch, locations));
  fixture.compare('out/log_prob', logProbabilityOf(logits, x, description, batch));

  const outputs = { logLikelihood: new Float32Array(batch), loss: new Float32Array(1) };
  const gradients = new Float32Array(parameters.length);
  await training.run({ parameters, inputs: inputs.arrays, outputs, gradients });
  await training.dispose();
  fixture.compare('out/loss', outputs.loss);
  const nats = outputs.logLikelihood;
  const bounds = Array.from(nats, (value, row) => boundOf(value, timeSteps[row]!, numVariables));
  fixture.compare(
    'out/elbo',
    Float64Array.from(bounds, ({ elbo }) => elbo),
  );
  fixture.compare(
    'out/elbo_of_t',
    Float64Array.from(bounds, ({ elboOfT }) => elboOfT),
  );
  fixture.compare(
    'out/nce',
    Float64Array.from(bounds, ({ nce }) => nce),
  );
  const { loss } = summarize(timeSteps, nats, numVariables, config.ceWeight);
  fixture.compare('out/loss', Float64Array.of(loss));
  compareGradients(fixture, description.parameters, gradients);
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

/** log p(x) of each variable, in the order of the data. */
function logProbabilityOf(
  logits: Float32Array,
  x: Int32Array,
  { numVariables, numClasses, networkShape }: ModelDescription,
  batch: number,
): Float64Array {
  const { channels } = networkShape;
  const locations = numVariables / channels;
  const of = new Float64Array(numClasses);
  return Float64Array.from({ length: batch * numVariables }, (_, i) => {
    const [row, variable] = [Math.floor(i / numVariables), i % numVariables];
    const block = (row * channels + (variable % channels)) * numClasses;
    const offset = block * locations + Math.floor(variable / channels);
    return logProbabilities(logits, offset, locations, of)[x[i]!]!;
  });
}

/** One example's part of a batch. */
export function rowOf(values: Int32Array, row: number, length: number): Int32Array {
  return values.subarray(row * length, (row + 1) * length);
}
