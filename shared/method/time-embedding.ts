/**
 * What the network is told of the time step (section 5.1): the sinusoids of t * 1000 / numSteps, into `into`, whose length is
 * the network's width. Computed in float64, for the frequencies reach 1 and the arguments 1000.
 */
export function embedTimeStep(timeStep: number, numSteps: number, into: Float32Array): void {
  sinusoids((timeStep * 1000) / numSteps, into);
}

/** All sines, then all cosines, of `position` times frequencies that fall geometrically from 1 to 1/10000. */
export function sinusoids(position: number, into: Float32Array): void {
  const half = into.length / 2;
  for (let j = 0; j < half; j++) {
    const angle = position * Math.exp((-Math.log(10_000) * j) / (half - 1));
    into[j] = Math.sin(angle);
    into[half + j] = Math.cos(angle);
  }
}
