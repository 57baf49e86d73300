import { parentPort, workerData } from 'node:worker_threads';
import { writeFor, type CheckpointData, type ToCheckpointWriter } from './checkpoint-writing.js';

const port = parentPort!;
port.on('message', async (message: ToCheckpointWriter) =>
  port.postMessage(await writeFor(workerData as CheckpointData, message)),
);
