import { cos, exp, sin } from '../exact-math.js';

const LOG_10000 = 9.210340371976184;

/**
 * What the network is told of the time step (section 5.1): the sinusoids of t * 1000 / numSteps, into `into`, whose length is
 * the network's width. Computed in float64, for the frequencies reach 1 and the arguments 1000.
 */
export function embedTimeStep(timeStep: number, numSteps: number, into: Float32Array): void {
  sinusoids((timeStep * 1000) / numSteps, into);
}

/**
 * All sines, then all cosines, of `position` times frequencies that fall geometrically from 1 to 1/10000; the same bits on
 * every machine.
 */
export function sinusoids(position: number, into: Float32Array): void {
  const half = into.length / 2;
  for (let j = 0; j < half; j++) {
    const angle = position * exp((-LOG_10000 * j) / (half - 1));
    into[j] = sin(angle);
    into[half + j] = cos(angle);
  }
}
