import { exp } from '../exact-math.js';
import { tf, type Tensor } from '../networks/tensors.js';
import { binsOf, classAt, type Edges } from './logistic-bins.js';
import { mixtureLogLikelihood, type MixtureTensors } from './logistic-mass.js';
import {
  allocateMixture,
  drawValue,
  mixtureCumulative,
  mixtureLogProbabilities,
} from './logistic-mixture.js';
import { drawChoice, indexOf, type Output, type Place } from './output.js';

/** Of a component's scale, the logarithm at least. */
const LEAST_LOG_SCALE = -7;
const LARGEST_INVERSE_SCALE = exp(-LEAST_LOG_SCALE);

/**
 * A mixture of M discretised logistics for each variable (section 2.6): M logits for all channels of a location, then M means and M log-scales a
 * channel. All-zero outputs are M logistics side by side, nearly uniform together.
 */
export function logisticOutput(
  numChannels: number,
  numClasses: number,
  numMixtures: number,
  edges: Edges,
): Output {
  const bins = binsOf(numClasses, edges);
  const numOutputs = (1 + 2 * numChannels) * numMixtures;
  const centres = Float64Array.from({ length: numMixtures }, (_, m) => (2 * m + 1) / numMixtures - 1);
  const logScale = -Math.log(numMixtures);
  const mixture = allocateMixture(numMixtures);

  /** Reads the mixture of a variable. */
  function read(outputs: Float32Array, place: Place): void {
    const channel = numMixtures * (1 + 2 * place.channel);
    const at = (n: number) => outputs[indexOf(place, numOutputs, n)]!;
    for (let m = 0; m < numMixtures; m++) {
      mixture.logits[m] = at(m);
      mixture.means[m] = at(channel + m) + centres[m]!;
      const given = at(channel + numMixtures + m);
      mixture.inverseScales[m] = Math.min(numMixtures * exp(-given), LARGEST_INVERSE_SCALE);
    }
  }

  function tensorsOf(outputs: Tensor): MixtureTensors {
    const [batch, , height, width] = outputs.shape as [number, number, number, number];
    const locations = height * width;
    const [logits, rest] = tf.split(outputs, [numMixtures, 2 * numChannels * numMixtures], 1) as [
      Tensor,
      Tensor,
    ];
    const perChannel = tf.reshape(rest, [batch, numChannels, 2 * numMixtures, locations]);
    const [means, scales] = tf.split(perChannel, 2, 2) as [Tensor, Tensor];
    const logInverseScales = tf.minimum(tf.sub(-logScale, scales), -LEAST_LOG_SCALE);
    return {
      logits: tf.reshape(logits, [batch, 1, numMixtures, locations]),
      means: tf.add(means, tf.tensor(Float32Array.from(centres), [1, 1, numMixtures, 1])),
      inverseScales: tf.exp(logInverseScales),
      logInverseScales,
    };
  }

  return {
    numOutputs,
    variableInputs: [{ name: 'target', dtype: 'int32', valueOf: (x) => x }],
    exampleInputs: () => [],
    setExample: () => {},
    logLikelihood: (_, outputs, { target, scored }) =>
      mixtureLogLikelihood(tensorsOf(outputs), target!, scored!, bins),
    numChoices: numClasses,
    logProbabilities(outputs, place, into) {
      read(outputs, place);
      return mixtureLogProbabilities(mixture, bins, into);
    },
    classOf: (choice) => choice,
    cumulative(outputs, place) {
      read(outputs, place);
      return mixtureCumulative(mixture, bins);
    },
    draw(outputs, places, noise, classes) {
      places.forEach((place, nth) => {
        read(outputs, place);
        const component = drawChoice(mixture.logits, (m, least) => noise.gumbel(m, least));
        classes[nth] = classAt(drawValue(mixture, component, noise.uniform(place.channel)), bins);
      });
    },
  };
}
