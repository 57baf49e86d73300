import { drawClass, logProbabilities } from '../method/categorical.js';
import { exponentialsOf } from './exponentials.js';
import { MassTable } from './mass-table.js';
import { indexOf, type Output, type Place } from './output.js';

/** A categorical distribution over all classes of each variable: outputs are viewed as (C, K). */
export function softmaxOutput(numChannels: number, numClasses: number): Output {
  const numOutputs = numChannels * numClasses;
  const offsetOf = (place: Place) => indexOf(place, numOutputs, place.channel * numClasses);
  const table = new MassTable(numClasses, { classOf: (n) => n, indexOf: (x) => x });
  return {
    numOutputs,
    variableInputs: [{ name: 'target', dtype: 'int32', valueOf: (x) => x }],
    exampleInputs: () => [],
    setExample: () => {},
    logLikelihood: (ops, outputs, { target, scored }) =>
      ops.logLikelihood(outputs, target!, scored!, numClasses),
    numChoices: numClasses,
    logProbabilities: (outputs, place, into) =>
      logProbabilities(outputs, offsetOf(place), place.numLocations, into),
    classOf: (choice) => choice,
    cumulative(outputs, place) {
      const masses = exponentialsOf(outputs, offsetOf(place), place.numLocations, numClasses);
      return table.of(masses, numClasses);
    },
    draw(outputs, places, noise, classes) {
      places.forEach((place, nth) => {
        const gumbel = (k: number, least: number) => noise.gumbel(k, least);
        classes[nth] = drawClass(outputs, offsetOf(place), place.numLocations, numClasses, gumbel);
      });
    },
  };
}
