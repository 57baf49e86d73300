import { drawClass, logProbabilities } from '../method/categorical.js';
import { tf } from '../networks/tensors.js';
import { exponentialsOf } from './exponentials.js';
import { MassTable } from './mass-table.js';
import { indexOf, type Output, type Place } from './output.js';

/**
 * A categorical distribution over the digit of each stage (direct parametrisation, section 2.3): outputs are viewed as (C, S, b), of
 * which a stage reads its own. Classes are numbers of S digits in base b; what is known of one has zeros for the other digits.
 */
export function directOutput(numChannels: number, numStages: number, base: number): Output {
  const numOutputs = numChannels * numStages * base;
  const unit = (stage: number) => base ** (numStages - 1 - stage);
  const classOf = (digit: number, { stage, past }: Place) => past + digit * unit(stage);
  const offsetOf = (place: Place) =>
    indexOf(place, numOutputs, (place.channel * numStages + place.stage) * base);
  /** Of the variable that the table is filled for. */
  let variable: Place;
  const table = new MassTable(base, {
    classOf: (digit) => classOf(digit, variable),
    indexOf: (x) => (x - variable.past) / unit(variable.stage),
  });
  return {
    numOutputs,
    variableInputs: [
      { name: 'target', dtype: 'int32', valueOf: (x, stage) => Math.floor(x / unit(stage)) % base },
    ],
    exampleInputs: (batch) => [{ name: 'stage', dtype: 'float32', shape: [batch, numStages] }],
    setExample(arrays, row, stage) {
      const oneHot = arrays.stage as Float32Array;
      oneHot.fill(0, row * numStages, (row + 1) * numStages);
      oneHot[row * numStages + stage] = 1;
    },
    logLikelihood(ops, outputs, { target, scored, stage }) {
      const [batch, , height, width] = outputs.shape as [number, number, number, number];
      const digits = tf.reshape(outputs, [batch, numChannels, numStages, base * height * width]);
      // The stage's own digits, by a product with its one-hot vector.
      const chosen = tf.tile(tf.reshape(stage!, [batch, 1, 1, numStages]), [1, numChannels, 1, 1]);
      const logits = tf.reshape(tf.matMul(chosen, digits), [batch, numChannels * base, height, width]);
      return ops.logLikelihood(logits, target!, scored!, base);
    },
    numChoices: base,
    logProbabilities: (outputs, place, into) =>
      logProbabilities(outputs, offsetOf(place), place.numLocations, into),
    classOf,
    cumulative(outputs, place) {
      variable = place;
      return table.of(exponentialsOf(outputs, offsetOf(place), place.numLocations, base), base);
    },
    draw(outputs, places, noise, classes) {
      places.forEach((place, nth) => {
        const gumbel = (k: number, least: number) => noise.gumbel(k, least);
        classes[nth] = classOf(drawClass(outputs, offsetOf(place), place.numLocations, base, gumbel), place);
      });
    },
  };
}
