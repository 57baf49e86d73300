import { logProbabilities } from '../method/categorical.js';
import { drawEach, indexOf, type Output } from './output.js';

/** A categorical distribution over all classes of each variable: outputs are viewed as (C, K). */
export function softmaxOutput(numChannels: number, numClasses: number): Output {
  const numOutputs = numChannels * numClasses;
  const output: Output = {
    numOutputs,
    variableInputs: [{ name: 'target', dtype: 'int32', valueOf: (x) => x }],
    exampleInputs: () => [],
    setExample: () => {},
    logLikelihood: (ops, outputs, { target, scored }) =>
      ops.logLikelihood(outputs, target!, scored!, numClasses),
    numChoices: numClasses,
    logProbabilities: (outputs, place, into) =>
      logProbabilities(
        outputs,
        indexOf(place, numOutputs, place.channel * numClasses),
        place.numLocations,
        into,
      ),
    classOf: (choice) => choice,
    draw: (...call) => draw(...call),
  };
  const draw = drawEach(output);
  return output;
}
