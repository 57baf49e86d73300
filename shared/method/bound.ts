/** One-sample estimates from one example at one time step, in bits per dimension; all at most 0. */
export interface Bound {
  /** Of the evidence lower bound: D/(D-t) of the log-likelihood of the unknown variables. */
  readonly elbo: number;
  /** This time step's share of it: the mean log-likelihood of an unknown variable, over D. */
  readonly elboOfT: number;
  /** The unweighted log-likelihood: the (negative) cross-entropy term. */
  readonly nce: number;
}

/**
 * The bound (section 1.3) from `nats`, the sum over the unknown variables of log p(x | known), at time step t in
 * 0..numVariables-1, of which numVariables - t are unknown.
 */
export function boundOf(nats: number, timeStep: number, numVariables: number): Bound {
  const nce = nats / (numVariables * Math.LN2);
  const elboOfT = nce / (numVariables - timeStep);
  return { elbo: numVariables * elboOfT, elboOfT, nce };
}

/**
 * The factor of an example's nats in the loss: loss = -(D/(D-t) + ceWeight) * nats / (D ln 2), which is
 * -elbo - ceWeight * nce, bits per dimension.
 */
export function trainingWeight(timeStep: number, numVariables: number, ceWeight: number): number {
  return (numVariables / (numVariables - timeStep) + ceWeight) / (numVariables * Math.LN2);
}

/** Means over a batch, in bits per dimension: the bound's `bitsPerDim` and the `loss` that is trained on. */
export function summarize(
  timeSteps: ArrayLike<number>,
  logLikelihoods: ArrayLike<number>,
  numVariables: number,
  ceWeight: number,
): { bitsPerDim: number; loss: number } {
  let bitsPerDim = 0;
  let loss = 0;
  for (let i = 0; i < timeSteps.length; i++) {
    const { elbo, nce } = boundOf(logLikelihoods[i]!, timeSteps[i]!, numVariables);
    bitsPerDim -= elbo / timeSteps.length;
    loss -= (elbo + ceWeight * nce) / timeSteps.length;
  }
  return { bitsPerDim, loss };
}
