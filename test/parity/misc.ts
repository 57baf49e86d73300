import { codingProbabilities, logProbabilities } from '../../shared/method/categorical.js';
import { pruneFrames } from '../../shared/method/frames.js';
import { rankMask } from '../../shared/method/masks.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { learningRateAt } from '../../shared/method/schedule.js';
import { embedTimeStep, sinusoids } from '../../shared/method/time-embedding.js';
import { LossTracker } from '../../shared/method/tracker.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { planUpdate } from '../../shared/optimizer/update.js';
import { training } from '../optimizer/training.js';
import { norm } from './comparison.js';
import type { Fixture } from './fixture.js';

/** Kind `misc`: small functions, one recorded tensor after another, by the pattern of its name. */
export function checkSmallFunctions(fixture: Fixture): void {
  for (const name of fixture.names())
    for (const [pattern, check] of CHECKS) {
      const found = pattern.exec(name);
      if (found) check(fixture, name, found.slice(1).map(Number));
    }
}

type Check = (fixture: Fixture, name: string, numbers: number[]) => void;

const CHECKS: readonly (readonly [RegExp, Check])[] = [
  [
    /^out\/temb_(\d+)_(\d+)\/emb$/,
    (fixture, name, [width, numSteps]) => {
      const steps = fixture.ints(name.replace(/^out(.*)emb$/, 'in$1t'));
      fixture.compare(
        name,
        rows(steps.length, width!, (row, into) => embedTimeStep(steps[row]!, numSteps!, into)),
      );
    },
  ],
  [
    /^out\/posemb_(\d+)_(\d+)$/,
    (fixture, name, [length, width]) => fixture.compare(name, rows(length!, width!, sinusoids)),
  ],
  [/^out\/lr$/, checkLearningRate],
  [/^out\/tracker_kl_per_t$/, checkTracker],
  [/^out\/clip_norm$/, checkClipping],
  [
    /^out\/(?:sel|range)_prev$/,
    (fixture, name) =>
      checkMask(
        fixture,
        name,
        () => 0,
        (t) => t,
      ),
  ],
  [
    /^out\/sel_current$/,
    (fixture, name) =>
      checkMask(
        fixture,
        name,
        (t) => t,
        (t) => t + 1,
      ),
  ],
  [
    /^out\/range_current$/,
    (fixture, name) =>
      checkMask(
        fixture,
        name,
        (t) => t,
        (_, right) => right,
      ),
  ],
  [/^out\/safe_probs$/, checkCodingProbabilities],
  [
    /^out\/naive_(\d+)_(\d+)$/,
    (fixture, name, [numVariables, budget]) =>
      fixture.compareExactly(name, naivePolicy(numVariables!, budget!)),
  ],
  [
    /^out\/prune_frames_(\d+)_(\d+)$/,
    (fixture, name, [numFrames, numKept]) => fixture.compareExactly(name, pruneFrames(numFrames!, numKept!)),
  ],
];

/** [count, width] from what fills a row. */
function rows(count: number, width: number, fill: (row: number, into: Float32Array) => void): Float32Array {
  const all = new Float32Array(count * width);
  for (let row = 0; row < count; row++) fill(row, all.subarray(row * width, (row + 1) * width));
  return all;
}

/** The side-car has the length of the warm-up; the rate at its end is read off the last recorded step. */
function checkLearningRate(fixture: Fixture): void {
  const { warm } = fixture.sideCar.config as unknown as { warm: number };
  const [steps, recorded] = [fixture.ints('in/lr_step'), fixture.floats('out/lr')];
  const learningRate = (recorded.at(-1)! * warm) / Math.min(steps.at(-1)!, warm);
  const schedule = { learningRate, warmupSteps: warm };
  fixture.compare(
    'out/lr',
    Float64Array.from(steps, (step) => learningRateAt(schedule, step)),
  );
}

function checkTracker(fixture: Fixture, name: string): void {
  const tracker = new LossTracker(new Float64Array(fixture.shape(name)[0]!).fill(NaN));
  const values = fixture.floats('in/tracker_v');
  fixture.ints('in/tracker_t').forEach((t, i) => tracker.observe(t, values[i]!));
  fixture.compare(name, tracker.components());
}

/** Of all tensors together. The limit is not recorded: it is the norm of what came out, where that was clipped. */
function checkClipping(fixture: Fixture, name: string): void {
  const names = fixture.names().filter((each) => each.startsWith('in/clip_'));
  const together = (folder: string, prefix: string) =>
    names.flatMap((each) => [...fixture.floats(each.replace(/^in\/clip_/, `${folder}/${prefix}`))]);
  const gradient = together('in', 'clip_');
  const clip = norm(together('out', 'clipped_'));

  const replica = new Replica(gradient.length, 0);
  replica.gradient.set(gradient);
  fixture.compare(name, Float64Array.of(Math.sqrt(replica.squaredNorm())));
  const { clipFactor } = planUpdate(training({ clip }), 0, replica.squaredNorm());
  for (const each of names)
    fixture.compare(
      each.replace(/^in\/clip_/, 'out/clipped_'),
      fixture.floats(each).map((value) => value * clipFactor),
    );
}

/** 1 at the ranks from `begin` up to `end`, both of which may depend on the example's `t` and `right`. */
function checkMask(
  fixture: Fixture,
  name: string,
  begin: (t: number) => number,
  end: (t: number, right: number) => number,
): void {
  const [sigma, t, right] = [fixture.ints('in/sigma'), fixture.ints('in/t'), fixture.ints('in/right')];
  const size = sigma.length / t.length;
  const mask = new Uint8Array(sigma.length);
  t.forEach((time, row) => {
    const part = [row * size, (row + 1) * size] as const;
    rankMask(sigma.subarray(...part), begin(time), end(time, right[row]!), mask.subarray(...part));
  });
  fixture.compareExactly(name, mask);
}

function checkCodingProbabilities(fixture: Fixture, name: string): void {
  const logits = fixture.floats('in/logits');
  const numClasses = fixture.shape('in/logits').at(-1)!;
  const variable = new Float64Array(numClasses);
  const probabilities = new Float64Array(logits.length);
  for (let offset = 0; offset < logits.length; offset += numClasses)
    probabilities.set(codingProbabilities(logProbabilities(logits, offset, 1, variable)), offset);
  fixture.compare(name, probabilities);
}
