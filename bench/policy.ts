import { UserError } from '../shared/errors.js';
import { costOfPolicy, planAll, planPolicy } from '../shared/method/plan.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import { findNumpy, type Numpy } from './peers/numpy.js';
import { atMost, summarize, type Findings, type Row, type Target } from './report.js';

export interface PolicyOptions {
  /** How often each planning task is timed. */
  readonly rounds: number;
}

interface Task {
  readonly name: string;
  readonly numSteps: number;
  /** Of calls; undefined: the costs of all budgets. */
  readonly budget?: number;
  readonly limitSeconds: number;
}

/** The paper's times, in JAX: 2 s for all budgets of 3,072 steps, 30 s for those of 16,000. */
const TASKS: readonly Task[] = [
  { name: 'D = 3072, budget 50', numSteps: 3072, budget: 50, limitSeconds: 0.02 },
  { name: 'D = 3072, all budgets', numSteps: 3072, limitSeconds: 2 },
  { name: 'D = 16000, all budgets', numSteps: 16000, limitSeconds: 30 },
];

/** Of costs, ours against the peer's float32. */
const AGREEMENT = 1e-4;

/** What planning for step budgets takes, against the recurrence in numpy. */
export async function benchPolicy(options: PolicyOptions, say: (line: string) => void): Promise<Findings> {
  const numpy = findNumpy();
  const rows: Row[] = [];
  const targets: Target[] = [];
  for (const task of TASKS) {
    say(`${task.name} ...`);
    const components = madeUpComponents(task.numSteps);
    const seconds = Array.from({ length: options.rounds }, () => timed(components, task.budget));
    const peer = typeof numpy === 'string' ? undefined : await timedPeer(numpy, components, task.budget);
    rows.push({
      task: task.name,
      'first s': seconds[0],
      'ours s': summarize(seconds),
      'numpy s': peer,
      'times faster': peer && peer / summarize(seconds).median,
    });
    targets.push(atMost(`seconds for ${task.name}`, task.limitSeconds, summarize(seconds).median));
  }
  return {
    method: [
      'Components that fall like those of a trained image model, with noise of 10 %; float64; `first` is the first call of each.',
      typeof numpy === 'string'
        ? 'Peer: none.'
        : `Peer: the O(D^2) a row recurrence in numpy ${numpy.version}, float32, one task; all budgets take D rows and are not asked of it.`,
    ],
    rows,
    targets,
    notes: typeof numpy === 'string' ? [numpy] : [],
  };
}

/** Bits per dimension, not sorted. */
function madeUpComponents(numSteps: number): Float64Array {
  const noise = stream(0, PURPOSE.timeStep);
  return Float64Array.from(
    { length: numSteps },
    (_, t) => ((2 + 6 * Math.exp((-12 * t) / numSteps)) * (0.95 + 0.1 * noise.uniform())) / numSteps,
  );
}

function timed(components: Float64Array, budget: number | undefined): number {
  const begun = performance.now();
  if (budget === undefined) planAll(components);
  else planPolicy(components, budget);
  return (performance.now() - begun) / 1000;
}

/** Seconds of one call for one budget, whose policy must cost what ours does. */
async function timedPeer(numpy: Numpy, components: Float64Array, budget: number | undefined) {
  if (budget === undefined) return undefined;
  const sorted = components.toSorted().reverse();
  const peer = numpy.start();
  try {
    const { seconds, policy } = await peer.ask<{ seconds: number; policy: number[] }>({
      components: [...sorted],
      budget,
    });
    const [theirs, ours] = [costOfPolicy(sorted, policy), planPolicy(components, budget).cost];
    if (Math.abs(theirs - ours) > AGREEMENT * ours)
      throw new UserError(`numpy's policy of ${budget} calls costs ${theirs}, ours ${ours}: one is wrong.`);
    return seconds;
  } finally {
    await peer.close();
  }
}
