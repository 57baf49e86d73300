import type { Engine } from '../../shared/engine/engine.js';
import type { Noise, Place } from '../../shared/outputs/output.js';
import { describeModel } from '../../shared/model/description.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { outputsProgram } from '../../shared/model/program.js';
import { likelihoodOf } from '../outputs/likelihood.js';
import type { CaseConfig } from './cases.js';
import type { Fixture } from './fixture.js';
import { channelsFirst, channelsLast, classesOf, modelConfig, placeOf } from './model.js';
import { rowOf } from './rows.js';

/** What the side-car says of the models: map, classes, base, direct parametrisation or not. */
type Listed = readonly [map: string, numClasses: number, base: number, isDirect: boolean];

/** Kind `stagecond`: what several upscale models make of given outputs of a network, each example in a stage of its own. */
export async function checkStages(engine: Engine, fixture: Fixture): Promise<void> {
  const { list } = fixture.sideCar.config as CaseConfig & { readonly list: readonly Listed[] };
  for (const listed of list) await checkModel(engine, fixture, listed);
}

async function checkModel(engine: Engine, fixture: Fixture, listed: Listed): Promise<void> {
  const [map, numClasses, base, isDirect] = listed;
  const name = `${map}_K${numClasses}_b${base}${isDirect ? '_direct' : ''}`;
  const x = fixture.ints(`in/${name}/x`);
  const stages = fixture.ints(`in/${name}/stage`);
  const batch = stages.length;
  const config = modelConfig({
    ...fixture.sideCar.config,
    net: 'unet',
    model: 'bit_ao',
    upscale_mode: map,
    upscale_branch_factor: base,
    upscale_direct_parametrization: isDirect,
  });
  const shape = fixture.sideCar.config.data_shape as [number, number, number];
  const description = describeModel(config, { shape, numClasses });
  const { numVariables } = description;
  const [height, width, channels] = shape;
  const locations = height * width;
  const first = (values: ArrayLike<number>) => channelsFirst(values, batch, locations);

  const inputs = new ModelInputs(description, config, outputsProgram(description, config, batch));
  const { output } = inputs;
  const { classes, mask } = inputs.arrays;
  /** Fills the inputs at a time of each example's stage, the variables whose index is a multiple of 3 coming first. */
  const setTime = (time: number) => {
    const examples = classesOf(x, description);
    stages.forEach((stage, row) => {
      const example = rowOf(examples, row, numVariables);
      inputs.setExample(row, example, everyThirdFirst(numVariables), stage * numVariables + time);
    });
  };
  setTime(numVariables / 3);
  fixture.compareExactly(
    `out/${name}/additional_input_example`,
    channelsLast(mask as Float32Array, batch, locations),
  );
  setTime(0);
  const past = channelsLast(classes as Int32Array, batch, locations);
  fixture.compareExactly(`out/${name}/x_past`, past);

  const outputs = Float32Array.from(first(fixture.floats(`in/${name}/net_out`)));
  const gumbel = fixture.floats(`in/${name}/gumbel`);
  const target = output.variableInputs.find((input) => input.name === 'target')!;
  const probabilities = new Float64Array(x.length * output.numChoices);
  const [future, drawn] = [new Int32Array(x.length), new Int32Array(x.length)];
  const logs = Float64Array.from(x, (value, i) => {
    const [row, variable] = [Math.floor(i / numVariables), i % numVariables];
    const place: Place = placeOf(description, row, variable, stages[row]!, past[i]);
    const choice = target.valueOf(value, place.stage);
    future[i] = output.classOf(choice, place);
    const noise: Noise = { gumbel: (k) => gumbel[i * output.numChoices + k]!, uniform: () => NaN };
    output.draw(outputs, [place], noise, drawn.subarray(i, i + 1));
    const into = probabilities.subarray(i * output.numChoices, (i + 1) * output.numChoices);
    return output.logProbabilities(outputs, place, into)[choice]!;
  });
  fixture.compareExactly(`out/${name}/x_future`, future);
  fixture.compareExactly(`out/${name}/sample`, drawn);
  fixture.compare(`out/${name}/log_prob`, logs);
  if (!isDirect) fixture.compare(`out/${name}/stage_probs`, probabilities.map(Math.exp));

  const { logProbabilities, gradients } = await likelihoodOf(engine, output, {
    shape: [batch, channels, height, width],
    outputs,
    x: Int32Array.from(first(x)),
    weight: Float32Array.from(first(fixture.floats(`in/${name}/weight`))),
    stages,
  });
  fixture.compare(`out/${name}/log_prob`, channelsLast(logProbabilities, batch, locations));
  fixture.compare(`out/${name}/grad_net_out`, channelsLast(gradients, batch, locations));
}

/** Ranks: every third variable before the others. */
function everyThirdFirst(numVariables: number): Int32Array {
  return Int32Array.from({ length: numVariables }, (_, i) =>
    i % 3 === 0 ? i / 3 : numVariables / 3 + i - Math.ceil(i / 3),
  );
}
