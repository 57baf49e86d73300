import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Averaging, type AveragerData, type ToAverager } from './averaging.js';

/** More than memory has to give. */
const MAX_THREADS = 8;

const port = parentPort!;
const numThreads = Math.min(MAX_THREADS, availableParallelism());
const averaging = new Averaging(
  workerData as AveragerData,
  (message) => port.postMessage(message),
  numThreads,
);
port.on('message', (message: ToAverager) => averaging.take(message));
