import { pruneFrames } from '../shared/method/frames.js';
import type { StageMap } from '../shared/method/stages.js';
import type { State } from '../shared/model/generator.js';

/**
 * Takes pictures of samples as they come to be: for each one `numFrames` states, evenly spaced over the network calls from empty to
 * full. Where a class is not known to the end yet, they have the smallest that it may become.
 */
export class Film {
  readonly #numCalls: Int32Array;
  readonly #shown: Int32Array;
  readonly #films: State[][] = [];

  /** @param numFrames 2 to the number of calls + 1 */
  constructor(numCalls: number, numFrames: number, map: StageMap) {
    this.#numCalls = pruneFrames(numCalls + 1, numFrames);
    this.#shown = smallestClasses(map);
  }

  /** For each sample its states so far. */
  get films(): readonly (readonly State[])[] {
    return this.#films;
  }

  /** What `Sampler.run` tells after call j for samples from `first` on. */
  onStep(j: number, first: number, states: readonly State[]): void {
    states.forEach(({ classes, known }, nth) => {
      const film = (this.#films[first + nth] ??= [
        { classes: new Int32Array(classes.length), known: new Uint8Array(known.length) },
      ]);
      if (this.#numCalls[film.length] === j + 1)
        film.push({ classes: classes.map((id) => this.#shown[id]!), known: known.slice() });
    });
  }
}

/** For each input class the smallest final one that is coarsened to it. */
function smallestClasses({ numStages, numClasses, numInputClasses, coarsen }: StageMap): Int32Array {
  const smallest = new Int32Array(numInputClasses);
  for (let r = numStages; r >= 0; r--) for (let x = numClasses - 1; x >= 0; x--) smallest[coarsen(x, r)] = x;
  return smallest;
}
