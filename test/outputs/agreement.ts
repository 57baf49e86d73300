import type { Output } from '../../shared/outputs/output.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { likelihoodOf, type Scored } from './likelihood.js';
import { allEngines, assertClose, madeUpOutputs, placeAt } from './made-up.js';

const engines = await allEngines();

/** Variables without meaning, each example in a stage of its own. */
export function madeUpVariables(
  output: Output,
  shape: Scored['shape'],
  { numClasses, scale = 1, seed = 0 }: { numClasses: number; scale?: number; seed?: number },
): Scored {
  const [batch, channels, height, width] = shape;
  const random = stream(seed, PURPOSE.order);
  const size = batch * channels * height * width;
  return {
    shape,
    outputs: madeUpOutputs(batch * output.numOutputs * height * width, scale, seed),
    x: Int32Array.from({ length: size }, () => random.below(numClasses)),
    weight: Float32Array.from({ length: size }, () => random.uniform()),
    stages: Int32Array.from({ length: batch }, (_, row) => row),
  };
}

/** Log-probabilities of the variables by the float64 form. */
export function hostLikelihoods(
  output: Output,
  { shape, outputs, x, stages }: Scored,
  pastOf: (x: number, stage: number) => number = () => 0,
): Float64Array {
  const [batch, channels, height, width] = shape;
  const numLocations = height * width;
  const target = output.variableInputs.find(({ name }) => name === 'target')!;
  const into = new Float64Array(output.numChoices);
  return Float64Array.from(x, (value, i) => {
    const row = Math.floor((i * batch) / x.length);
    const stage = stages![row]!;
    const [channel, location] = [Math.floor(i / numLocations) % channels, i % numLocations];
    const earlier = Array.from({ length: channel }, (_, c) => x[i - (channel - c) * numLocations]!);
    const place = placeAt({
      row,
      channel,
      location,
      numLocations,
      stage,
      past: pastOf(value, stage),
      earlier,
    });
    return output.logProbabilities(outputs, place, into)[target.valueOf(value, stage)]!;
  });
}

/**
 * Fails unless what is trained on agrees with the float64 form on every engine: log-probabilities to a tolerance, and the gradient with
 * respect to some outputs with what a small change of them makes.
 */
export async function assertAgrees(
  output: Output,
  variables: Scored,
  tolerance: number,
  pastOf?: (x: number, stage: number) => number,
): Promise<void> {
  const { outputs, weight } = variables;
  const sum = (changed: Float32Array) =>
    hostLikelihoods(output, { ...variables, outputs: changed }, pastOf).reduce(
      (total, value, i) => total + weight[i]! * value,
      0,
    );
  const expected = hostLikelihoods(output, variables, pastOf);
  const chosen = Array.from({ length: 12 }, (_, n) => Math.floor((n * outputs.length) / 12));
  const slopes = chosen.map((at) => {
    const [below, above] = [-1, 1].map((sign) => outputs.with(at, outputs[at]! + sign * 2 ** -12));
    return (sum(above!) - sum(below!)) / (above![at]! - below![at]!);
  });
  for (const [name, engine] of Object.entries(engines)) {
    const { logProbabilities, gradients } = await likelihoodOf(engine, output, variables);
    assertClose(`log-probability, ${name}`, logProbabilities, expected, tolerance);
    const at = chosen.map((n) => gradients[n]!);
    assertClose(`gradient, ${name}`, at, slopes, Math.max(tolerance, 1e-3));
  }
}
