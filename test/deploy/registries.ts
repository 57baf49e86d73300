import { createMetrics } from '../../coordinator/metrics.js';
import { createWorkerMetrics } from '../../worker/metrics.js';

/** Those of processes that have done nothing yet. */
export const registries = {
  coordinator: createMetrics({ version: '', steps: 1, numClasses: 2 }).registry,
  worker: createWorkerMetrics({
    version: '',
    device: { description: '', provider: '' },
    lanes: 1,
    gpu: () => undefined,
  }).registry,
};
