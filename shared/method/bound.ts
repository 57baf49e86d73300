/** What the weights of the bound depend on (sections 1.3 and 2.4). */
export interface Process {
  /** D: variables of an example, by which bits per dimension are divided. */
  readonly numVariables: number;
  /** Positions of an order: variables, or pixels where the channels of one are generated together. */
  readonly numPositions: number;
  /** S: each goes through all positions. */
  readonly numStages: number;
}

/** One-sample estimates from one example at one time step, in bits per dimension; all at most 0. */
export interface Bound {
  /** Of the evidence lower bound: numStages * numPositions times this step's share. */
  readonly elbo: number;
  /** This time step's share of it: the mean log-likelihood of an unknown position, over D. */
  readonly elboOfT: number;
  /** The unweighted log-likelihood: the (negative) cross-entropy term. */
  readonly nce: number;
}

/** The stage of a step in 0..numStages * numPositions - 1, and the time within it: positions of a lower rank are known. */
export function stageAndTime(step: number, numPositions: number): { stage: number; time: number } {
  const stage = Math.floor(step / numPositions);
  return { stage, time: step - stage * numPositions };
}

/** The bound from `nats`, the sum over the variables that are unknown at a step of log p(x | known). */
export function boundOf(nats: number, step: number, process: Process): Bound {
  const { numVariables, numPositions, numStages } = process;
  const { time } = stageAndTime(step, numPositions);
  const nce = nats / (numVariables * Math.LN2);
  const elboOfT = nce / (numPositions - time);
  return { elbo: numStages * numPositions * elboOfT, elboOfT, nce };
}

/**
 * The factor of an example's nats in the loss: loss = -(S P/(P-t) + ceWeight) * nats / (D ln 2), which is
 * -elbo - ceWeight * nce, bits per dimension; P positions, S stages.
 */
export function trainingWeight(step: number, process: Process, ceWeight: number): number {
  const { numVariables, numPositions, numStages } = process;
  const { time } = stageAndTime(step, numPositions);
  return ((numStages * numPositions) / (numPositions - time) + ceWeight) / (numVariables * Math.LN2);
}

/** Means over a batch, in bits per dimension: the bound's `bitsPerDim` and the `loss` that is trained on. */
export function summarize(
  steps: ArrayLike<number>,
  logLikelihoods: ArrayLike<number>,
  process: Process,
  ceWeight: number,
): { bitsPerDim: number; loss: number } {
  let bitsPerDim = 0;
  let loss = 0;
  for (let i = 0; i < steps.length; i++) {
    const { elbo, nce } = boundOf(logLikelihoods[i]!, steps[i]!, process);
    bitsPerDim -= elbo / steps.length;
    loss -= (elbo + ceWeight * nce) / steps.length;
  }
  return { bitsPerDim, loss };
}
