import { parentPort, workerData } from 'node:worker_threads';
import { ARRAYS } from '../shared/checkpoint/state.js';
import type { TrainingConfig } from '../shared/config/schema.js';
import { bucketBytes, bucketsOf, checksum } from '../shared/exchange/buckets.js';
import { nextLink } from '../shared/exchange/chain.js';
import { statisticsFrames, type Statistics } from '../shared/exchange/statistics.js';
import { TreeSum, type TreeNode } from '../shared/exchange/tree.js';
import type { Process } from '../shared/method/bound.js';
import { LossTracker } from '../shared/method/tracker.js';
import { Replica } from '../shared/optimizer/replica.js';
import { addInto } from '../shared/optimizer/sum.js';
import { planUpdate, type Update } from '../shared/optimizer/update.js';
import type { Gathered } from './gathering.js';
import { stateBytes, stateIn, type StateSizes } from './state-copy.js';

/** What the thread is started with. `memory` is the replica's; from then on this thread alone writes to it. */
export interface AveragerData {
  readonly memory: WebAssembly.Memory;
  readonly model: StateSizes & Process;
  readonly training: TrainingConfig;
  readonly bucketBytes: number;
  readonly step: number;
  readonly chain: string;
}

export type ToAverager =
  /** The sum over a subtree's slices; its buffer now belongs to the averager. */
  | ({ kind: 'sum'; step: number; hash: boolean } & Gathered)
  | { kind: 'snapshot'; request: number; buffer?: SharedArrayBuffer };

export type FromAverager =
  /** A buffer that is no longer needed. */
  | { kind: 'free'; buffer: SharedArrayBuffer }
  /** The average of a step, decided; `buffer` holds it. The replica applies it, and observes the statistics, next. */
  | {
      kind: 'averaged';
      step: number;
      buffer: SharedArrayBuffer;
      checksums: number[];
      /** Of the whole batch. */
      statistics: Statistics;
      /** Of the statistics' frames. */
      crcs: [number, number];
      chain: string;
      update: Update;
      gradientNorm: number;
      seconds: number;
    }
  | { kind: 'nonfinite'; step: number }
  | { kind: 'hash'; step: number; hash: string }
  /** `buffer` holds a copy of the state: see `stateIn`. */
  | {
      kind: 'snapshot';
      request: number;
      step: number;
      chain: string;
      buffer: SharedArrayBuffer;
      seconds: number;
    };

const port = parentPort!;
const data = workerData as AveragerData;
const { model, training } = data;
const replica = Replica.attach(data.memory, model.numParameters, model.numSteps);
const tracker = new LossTracker(replica.components);
const buckets = bucketsOf(model.numParameters, data.bucketBytes);
const root: TreeNode = { level: Math.log2(training.slices), index: 0 };
/** Of the current step, as far as its sums have come. */
const statistics: Statistics = {
  timeSteps: new Int32Array(training.batch),
  logLikelihoods: new Float64Array(training.batch),
};
let { step, chain } = data;
let tree = new TreeSum<SharedArrayBuffer>([root]);

const post = (message: FromAverager) => port.postMessage(message);

port.on('message', (message: ToAverager) => {
  if (message.kind === 'snapshot') snapshot(message.request, message.buffer);
  else if (message.step === step) add(message, message.hash);
  else post({ kind: 'free', buffer: message.buffer });
});

/** Adds siblings as they complete, along the tree whose shape is fixed by the number of slices. */
function add({ node, buffer, statistics: ofNode }: Gathered, hash: boolean): void {
  const started = performance.now();
  const firstExample = (node.index << node.level) * (training.batch / training.slices);
  statistics.timeSteps.set(ofNode.timeSteps, firstExample);
  statistics.logLikelihoods.set(ofNode.logLikelihoods, firstExample);
  let next = tree.put(node, buffer);
  while (next.kind === 'merge') {
    addInto(new Float32Array(next.left), new Float32Array(next.right));
    post({ kind: 'free', buffer: next.right });
    next = tree.put(next.parent, next.left);
  }
  if (next.kind === 'goal') average(next.value, hash, started);
}

function average(buffer: SharedArrayBuffer, hash: boolean, started: number): void {
  tree = new TreeSum([root]);
  const gradient = new Float32Array(buffer);
  replica.gradient.set(gradient);
  const squaredNorm = replica.squaredNorm();
  if (!Number.isFinite(squaredNorm)) {
    post({ kind: 'free', buffer });
    post({ kind: 'nonfinite', step });
    return;
  }
  const update = planUpdate(training, step, squaredNorm);
  const checksums = buckets.map((bucket) => checksum(bucketBytes(gradient, bucket)));
  const [timeSteps, logLikelihoods] = statisticsFrames(statistics);
  const crcs: [number, number] = [checksum(timeSteps), checksum(logLikelihoods)];
  chain = nextLink(chain, step, [...checksums, ...crcs], { ...update });
  const seconds = (performance.now() - started) / 1000;
  post({
    kind: 'averaged',
    step,
    buffer,
    checksums,
    statistics,
    crcs,
    chain,
    update,
    gradientNorm: Math.sqrt(squaredNorm),
    seconds,
  });
  replica.apply(update);
  tracker.observeBatch(statistics.timeSteps, statistics.logLikelihoods, model);
  step++;
  if (hash) post({ kind: 'hash', step, hash: replica.hash() });
}

function snapshot(request: number, reuse: SharedArrayBuffer | undefined): void {
  const started = performance.now();
  const buffer = reuse ?? new SharedArrayBuffer(stateBytes(model));
  const copy = stateIn(buffer, model);
  for (const array of ARRAYS) copy[array].set(replica[array]);
  const seconds = (performance.now() - started) / 1000;
  post({ kind: 'snapshot', request, step, chain, buffer, seconds });
}
