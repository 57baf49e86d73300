import type { CurvePart } from '../curve.js';

/** Steps that a smoothed loss remembers: single batches scatter too widely to be read. */
export const SMOOTHING_STEPS = 50;

/**
 * The mean of the values so far in which each is weighed by how recent it is: e-fold in `window` values, and in the beginning in a tenth of those
 * so far, so that the first ones are soon forgotten. As long as the input.
 */
export function smooth(values: readonly number[], window: number): number[] {
  let mean = 0;
  return values.map((value, i) => {
    const remembered = Math.min(window, i / 10);
    mean += (value - mean) * (1 - Math.exp(-1 / remembered));
    return mean;
  });
}

/** A curve with what came after: points that have grown are replaced. */
export function extend(curve: CurvePart, part: CurvePart): CurvePart {
  if (part.steps.length === 0) return curve;
  const pointOf = (step: number) => Math.floor((step - 1) / part.width);
  const first = pointOf(part.steps[0]!);
  const found = curve.steps.findIndex((step) => pointOf(step) >= first);
  const kept = found < 0 ? curve.steps.length : found;
  const join = (name: 'steps' | 'bitsPerDim' | 'gradientNorm' | 'learningRate' | 'seconds') => [
    ...curve[name].slice(0, kept),
    ...part[name],
  ];
  return {
    width: part.width,
    steps: join('steps'),
    bitsPerDim: join('bitsPerDim'),
    gradientNorm: join('gradientNorm'),
    learningRate: join('learningRate'),
    seconds: join('seconds'),
  };
}

/** About `most` of the indices below `length`, evenly spaced, the last among them. */
export function thinned(length: number, most: number): number[] {
  const stride = Math.max(1, Math.ceil(length / most));
  return Array.from({ length }, (_, i) => i).filter((i) => (length - 1 - i) % stride === 0);
}
