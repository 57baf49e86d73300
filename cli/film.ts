import { pruneFrames } from '../shared/method/frames.js';
import { drawOrder } from '../shared/method/orders.js';
import type { ModelDescription } from '../shared/model/description.js';
import { PURPOSE, stream } from '../shared/random/philox.js';

/** Stands for what isn't known yet. */
const GREY = 128;

/**
 * How the samples 0, 1, ... of a seed came to be: for each one, `numFrames` states, evenly spaced from empty to full, what is
 * unknown mid grey. A variable never changes once it is drawn, so the order and the finished sample tell all of it.
 *
 * @param samples what `Sampler.run` gave for that seed and policy, from sample 0 on
 * @param numFrames 2 to the number of calls + 1
 * @returns bytes 0..255, one picture after another
 */
export function filmOf(
  samples: Uint8Array,
  { numVariables, numClasses }: ModelDescription,
  seed: number,
  policy: Int32Array,
  numFrames: number,
): Uint8Array {
  const count = samples.length / numVariables;
  const film = new Uint8Array(count * numFrames * numVariables).fill(GREY);
  const numCalls = pruneFrames(policy.length + 1, numFrames);
  for (let i = 0; i < count; i++) {
    const order = drawOrder(stream(seed, PURPOSE.sample, i), numVariables);
    numCalls.forEach((calls, frame) => {
      const numKnown = policy[calls] ?? numVariables;
      const base = (i * numFrames + frame) * numVariables;
      for (let v = 0; v < numVariables; v++)
        if (order[v]! < numKnown)
          film[base + v] = Math.round((samples[i * numVariables + v]! * 255) / (numClasses - 1));
    });
  }
  return film;
}
