import type { TrainingConfig } from '../../shared/config/schema.js';
import type { Engine } from '../../shared/engine/engine.js';
import { boundOf } from '../../shared/method/bound.js';
import { learningRateAt } from '../../shared/method/schedule.js';
import type { ModelDescription } from '../../shared/model/description.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { trainingProgram } from '../../shared/model/program.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { planUpdate } from '../../shared/optimizer/update.js';
import type { CaseConfig } from './cases.js';
import { norm } from './comparison.js';
import { VANISHING } from './elbo.js';
import type { Fixture } from './fixture.js';
import { classesOf, inOriginalOrder, modelOf } from './model.js';
import { rowOf, setTrainingRow } from './rows.js';

/** Of the distance that the optimizer can have gone. */
const SHARE_OF_WAY = 0.01;

/** Kind `opt`: some steps of training on given batches: loss, gradient norm, rate, parameters and moving average. */
export async function checkOptimizer(engine: Engine, fixture: Fixture): Promise<void> {
  const model = modelOf(fixture);
  const { config, description, parameters } = model;
  const { batch } = fixture.sideCar.config;
  const { numVariables, numPositions } = description;
  const training = trainingConfig(fixture.sideCar.config);
  const [x, sigma, timeSteps] = [
    classesOf(fixture.ints('in/x'), description),
    fixture.ints('in/sigma'),
    fixture.ints('in/t'),
  ];
  const seen = { loss: [] as number[], grad_norm: [] as number[], lr: [] as number[], nelbo: [] as number[] };
  const moved = new Set<string>();

  const replica = new Replica(parameters.length, 0);
  replica.parameters.set(parameters);
  replica.ema.set(parameters);
  const executable = await engine.compile(trainingProgram(description, config, batch));
  const inputs = new ModelInputs(description, config, executable.program);
  const outputs = { logLikelihood: new Float32Array(batch), loss: new Float32Array(1) };
  for (let step = 0; step < timeSteps.length / batch; step++) {
    for (let row = 0; row < batch; row++) {
      const nth = step * batch + row;
      const [example, order] = [rowOf(x, nth, numVariables), rowOf(sigma, nth, numPositions)];
      setTrainingRow(inputs, model, row, batch, example, order, timeSteps[nth]!);
    }
    await executable.run({
      parameters: replica.parameters,
      gradients: replica.gradient,
      inputs: inputs.arrays,
      outputs,
    });
    const squaredNorm = replica.squaredNorm();
    inOriginalOrder(description.parameters, replica.gradient, (name, gradient) => {
      if (norm(gradient) > VANISHING * Math.sqrt(squaredNorm)) moved.add(name);
    });
    seen.loss.push(outputs.loss[0]!);
    seen.grad_norm.push(Math.sqrt(squaredNorm));
    seen.lr.push(learningRateAt(training, step));
    outputs.logLikelihood.forEach((nats, row) =>
      seen.nelbo.push(-boundOf(nats, timeSteps[step * batch + row]!, description).elbo),
    );
    replica.apply(planUpdate(training, step, squaredNorm));
    compareState(fixture, description, replica, { numSteps: step + 1, moved, training });
  }
  await executable.dispose();
  for (const [name, values] of Object.entries(seen))
    fixture.compare(`out/${name}`, Float64Array.from(values));
}

/**
 * Parameters and their moving average, if they are recorded after so many steps. Where the gradient is exactly zero, Adam
 * follows its rounding noise: there either may have gone all the way in any direction.
 */
function compareState(
  fixture: Fixture,
  { parameters }: ModelDescription,
  replica: Replica,
  at: { readonly numSteps: number; readonly moved: ReadonlySet<string>; readonly training: TrainingConfig },
): void {
  const { numSteps, moved, training } = at;
  const way = training.learningRate * numSteps;
  for (const [array, prefix] of [
    [replica.parameters, `params_after_${numSteps}/`],
    [replica.ema, `ema_after_${numSteps}/`],
  ] as const) {
    if (fixture.bases(prefix).length === 0) continue;
    inOriginalOrder(parameters, array, (name, values) =>
      fixture.compareWithin(prefix + name, values, moved.has(name) ? SHARE_OF_WAY * way : 2 * way),
    );
  }
}

function trainingConfig({ batch, optimizer }: CaseConfig): TrainingConfig {
  return {
    steps: 1,
    batch,
    slices: 1,
    learningRate: optimizer.learning_rate,
    warmupSteps: optimizer.warmup_steps ?? 0,
    beta1: optimizer.b1,
    beta2: optimizer.b2,
    epsilon: optimizer.eps ?? 1e-8,
    weightDecay: optimizer.weight_decay ?? 0,
    clip: optimizer.clip_grad,
    ema: optimizer.ema_momentum,
  };
}
