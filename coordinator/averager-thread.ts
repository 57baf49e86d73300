import { parentPort, workerData } from 'node:worker_threads';
import { Averaging, type AveragerData, type ToAverager } from './averaging.js';

const port = parentPort!;
const averaging = new Averaging(workerData as AveragerData, (message) => port.postMessage(message));
port.on('message', (message: ToAverager) => averaging.take(message));
