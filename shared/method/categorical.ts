/**
 * log softmax of one variable's logits, `into.length` of them from `offset` on, `stride` apart; float64. Returns `into`.
 */
export function logProbabilities(
  logits: Float32Array,
  offset: number,
  stride: number,
  into: Float64Array,
): Float64Array {
  let largest = -Infinity;
  for (let k = 0; k < into.length; k++) largest = Math.max(largest, logits[offset + k * stride]!);
  let sum = 0;
  for (let k = 0; k < into.length; k++) sum += Math.exp(logits[offset + k * stride]! - largest);
  const logSum = largest + Math.log(sum);
  for (let k = 0; k < into.length; k++) into[k] = logits[offset + k * stride]! - logSum;
  return into;
}

/**
 * A draw from one variable's softmax by Gumbel-max (section 1.5): the class whose logit plus noise is largest, the first of
 * equals. `noise` gives a standard Gumbel draw for each class, asked in turn; one below `least` can't win, and may be -Infinity.
 */
export function drawClass(
  logits: Float32Array,
  offset: number,
  stride: number,
  numClasses: number,
  noise: (k: number, least: number) => number,
): number {
  let best = 0;
  let largest = -Infinity;
  for (let k = 0; k < numClasses; k++) {
    const logit = logits[offset + k * stride]!;
    const perturbed = logit + noise(k, largest - logit);
    if (perturbed > largest) {
      largest = perturbed;
      best = k;
    }
  }
  return best;
}

/** Floor of the probabilities that an entropy coder is given. */
const CODING_FLOOR = 2e-5;

/** Probabilities for coding (section 4): the softmax mixed with a floor, so that every class can be coded. */
export function codingProbabilities(logProbabilities: Float64Array): Float64Array {
  const kept = 1 - logProbabilities.length * CODING_FLOOR;
  return logProbabilities.map((value) => kept * Math.exp(value) + CODING_FLOOR);
}
