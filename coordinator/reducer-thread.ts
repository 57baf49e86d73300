import { parentPort, workerData } from 'node:worker_threads';
import { Replica } from '../shared/optimizer/replica.js';
import { Reduction } from './reduction.js';
import type { ReducerData, ReducerJob } from './reducers.js';

const { memory, numParameters, numSteps, bucketBytes, found, range, pending } = workerData as ReducerData;
const reduction = new Reduction(Replica.attach(memory, numParameters, numSteps), bucketBytes);

parentPort!.on('message', (job: ReducerJob) => {
  if (job.kind === 'reduce') reduction.reduce(job.terms, job.copy, range, found);
  else reduction.apply(job.update, range);
  Atomics.sub(pending, 0, 1);
  Atomics.notify(pending, 0);
});
