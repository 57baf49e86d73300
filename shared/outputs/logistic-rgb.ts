import { tf, type Tensor } from '../networks/tensors.js';
import { binsOf, classAt, valueOf, type Edges } from './logistic-bins.js';
import {
  mixtureLogLikelihood,
  softplus as softplusOf,
  valuesOf,
  type MixtureTensors,
} from './logistic-mass.js';
import {
  allocateMixture,
  drawValue,
  mixtureCumulative,
  mixtureLogProbabilities,
  softplus,
  tanh,
} from './logistic-mixture.js';
import { drawChoice, indexOf, type Output, type Place } from './output.js';

const NUM_CHANNELS = 3;

/**
 * A mixture of M discretised logistics for each channel of a pixel, red before green before blue (section 2.6): M logits for all three, then M means,
 * M pre-scales (whose softplus is the inverse scale) and M coefficients a channel. With t the tanh of the coefficients and r, g the
 * values of the channels before, means move by t_r r for green and t_g r + t_b g for blue.
 *
 * The likelihood is the original's, in which each channel chooses a component of its own. So does a draw with `exact` edges, and
 * what moves the means is the class that was drawn; with `original` ones it is drawn as the original does (section 9.2-14): one component for
 * the pixel, its means moved by values not yet rounded.
 */
export function logisticRgbOutput(numClasses: number, numMixtures: number, edges: Edges): Output {
  const bins = binsOf(numClasses, edges);
  const numOutputs = (1 + 3 * NUM_CHANNELS) * numMixtures;
  const mixture = allocateMixture(numMixtures);

  /** Reads the mixture of a channel, given the values of those before. */
  function read(outputs: Float32Array, place: Place, [red = 0, green = 0]: readonly number[]): void {
    const at = (n: number) => outputs[indexOf(place, numOutputs, n)]!;
    const begin = (channel: number) => numMixtures * (1 + 3 * channel);
    const { channel } = place;
    for (let m = 0; m < numMixtures; m++) {
      const t = (of: number) => tanh(at(begin(of) + 2 * numMixtures + m));
      const moved = channel === 0 ? 0 : channel === 1 ? t(0) * red : t(1) * red + t(2) * green;
      mixture.logits[m] = at(m);
      mixture.means[m] = at(begin(channel) + m) + moved;
      mixture.inverseScales[m] = softplus(at(begin(channel) + numMixtures + m));
    }
  }

  function tensorsOf(outputs: Tensor, target: Tensor): MixtureTensors {
    const [batch, , height, width] = outputs.shape as [number, number, number, number];
    const locations = height * width;
    const [logits, rest] = tf.split(outputs, [numMixtures, numOutputs - numMixtures], 1) as [Tensor, Tensor];
    const perChannel = tf.reshape(rest, [batch, NUM_CHANNELS, 3 * numMixtures, locations]);
    const [means, scales, coefficients] = tf.split(perChannel, 3, 2) as [Tensor, Tensor, Tensor];
    const [ofRed, ofGreen, ofBlue] = tf.split(means, 3, 1) as [Tensor, Tensor, Tensor];
    const [t0, t1, t2] = tf.split(tf.tanh(coefficients), 3, 1) as [Tensor, Tensor, Tensor];
    const [red, green] = tf.split(valuesOf(target, bins), 3, 1) as [Tensor, Tensor];
    const inverseScales = softplusOf(scales);
    return {
      logits: tf.reshape(logits, [batch, 1, numMixtures, locations]),
      means: tf.concat(
        [ofRed, tf.add(ofGreen, tf.mul(t0, red)), tf.add(ofBlue, tf.add(tf.mul(t1, red), tf.mul(t2, green)))],
        1,
      ),
      inverseScales,
      logInverseScales: tf.log(inverseScales),
    };
  }

  /** The values of the channels before. */
  const before = ({ earlier }: Place) => Array.from(earlier!, (x) => valueOf(x, bins));

  return {
    numOutputs,
    variableInputs: [{ name: 'target', dtype: 'int32', valueOf: (x) => x }],
    exampleInputs: () => [],
    setExample: () => {},
    logLikelihood: (_, outputs, { target, scored }) =>
      mixtureLogLikelihood(tensorsOf(outputs, target!), target!, scored!, bins),
    numChoices: numClasses,
    logProbabilities(outputs, place, into) {
      read(outputs, place, before(place));
      return mixtureLogProbabilities(mixture, bins, into);
    },
    classOf: (choice) => choice,
    cumulative(outputs, place) {
      read(outputs, place, before(place));
      return mixtureCumulative(mixture, bins);
    },
    draw(outputs, places, noise, classes) {
      const values: number[] = [];
      let component = 0;
      places.forEach((place, nth) => {
        read(outputs, place, values);
        if (edges === 'exact')
          component = drawChoice(mixture.logits, (m, least) => noise.gumbel(nth * numMixtures + m, least));
        else if (nth === 0) component = drawChoice(mixture.logits, (m, least) => noise.gumbel(m, least));
        const value = drawValue(mixture, component, noise.uniform(nth));
        classes[nth] = classAt(value, bins);
        values.push(edges === 'exact' ? valueOf(classes[nth]!, bins) : value);
      });
    },
  };
}
