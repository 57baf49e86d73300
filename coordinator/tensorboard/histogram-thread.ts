import { parentPort, workerData } from 'node:worker_threads';
import { checkpointHistograms } from './checkpoint-histograms.js';

parentPort!.postMessage(await checkpointHistograms(workerData as string));
