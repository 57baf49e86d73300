import { parentPort, workerData } from 'node:worker_threads';
import type { TrainingConfig } from '../shared/config/schema.js';
import { bucketBytes, bucketsOf, checksum } from '../shared/exchange/buckets.js';
import { nextLink } from '../shared/exchange/chain.js';
import { TreeSum, type TreeNode } from '../shared/exchange/tree.js';
import { Replica } from '../shared/optimizer/replica.js';
import { addInto } from '../shared/optimizer/sum.js';
import { planUpdate, type Update } from '../shared/optimizer/update.js';

/** What the thread is started with. `memory` is the replica's; from then on this thread alone writes to it. */
export interface AveragerData {
  readonly memory: WebAssembly.Memory;
  readonly numParameters: number;
  readonly training: TrainingConfig;
  readonly bucketBytes: number;
  readonly step: number;
  readonly chain: string;
}

export type ToAverager =
  /** The sum over a subtree's slices; its buffer now belongs to the averager. */
  | { kind: 'sum'; step: number; node: TreeNode; buffer: SharedArrayBuffer; hash: boolean }
  | { kind: 'snapshot'; request: number; buffer?: SharedArrayBuffer };

export type FromAverager =
  /** A buffer that is no longer needed. */
  | { kind: 'free'; buffer: SharedArrayBuffer }
  /** The average of a step, decided; `buffer` holds it. The replica applies it next. */
  | {
      kind: 'averaged';
      step: number;
      buffer: SharedArrayBuffer;
      checksums: number[];
      chain: string;
      update: Update;
      gradientNorm: number;
      seconds: number;
    }
  | { kind: 'nonfinite'; step: number }
  | { kind: 'hash'; step: number; hash: string }
  /** Parameters, moments, moving average one after another. */
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
const replica = Replica.attach(data.memory, data.numParameters);
const buckets = bucketsOf(data.numParameters, data.bucketBytes);
const root: TreeNode = { level: Math.log2(data.training.slices), index: 0 };
let { step, chain } = data;
let tree = new TreeSum<SharedArrayBuffer>([root]);

const post = (message: FromAverager) => port.postMessage(message);

port.on('message', (message: ToAverager) => {
  if (message.kind === 'snapshot') snapshot(message.request, message.buffer);
  else if (message.step === step) add(message.node, message.buffer, message.hash);
  else post({ kind: 'free', buffer: message.buffer });
});

/** Adds siblings as they complete, along the tree whose shape is fixed by the number of slices. */
function add(node: TreeNode, buffer: SharedArrayBuffer, hash: boolean): void {
  const started = performance.now();
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
  const update = planUpdate(data.training, step, squaredNorm);
  const checksums = buckets.map((bucket) => checksum(bucketBytes(gradient, bucket)));
  chain = nextLink(chain, step, checksums, { ...update });
  const seconds = (performance.now() - started) / 1000;
  post({
    kind: 'averaged',
    step,
    buffer,
    checksums,
    chain,
    update,
    gradientNorm: Math.sqrt(squaredNorm),
    seconds,
  });
  replica.apply(update);
  step++;
  if (hash) post({ kind: 'hash', step, hash: replica.hash() });
}

function snapshot(request: number, reuse: SharedArrayBuffer | undefined): void {
  const started = performance.now();
  const buffer = reuse ?? new SharedArrayBuffer(16 * data.numParameters);
  const { parameters, firstMoment, secondMoment, ema } = replica;
  for (const [nth, array] of [parameters, firstMoment, secondMoment, ema].entries()) {
    new Float32Array(buffer, 4 * nth * data.numParameters, data.numParameters).set(array);
  }
  const seconds = (performance.now() - started) / 1000;
  post({ kind: 'snapshot', request, step, chain, buffer, seconds });
}
