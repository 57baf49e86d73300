import type { Instruments, Reading } from '../shared/metrics/instruments.js';
import type { LiveMember } from '../shared/page/views.js';
import type { GpuUse } from '../shared/protocol/messages.js';

const WORKER_STATES = ['syncing', 'ready'] as const;

/**
 * What is known of each worker, asked at each scrape. Workers are told apart by slot, so that no label's values grow with time, and the series
 * of a slot go with its worker.
 */
export function describeWorkers(
  instruments: Instruments,
  members: () => Iterable<LiveMember>,
  committed: () => number,
): void {
  const bySlot = (valueOf: (member: LiveMember) => number | undefined) =>
    function* (): Iterable<Reading> {
      for (const member of members()) {
        const value = valueOf(member);
        if (value !== undefined) yield [{ slot: member.slot }, value];
      }
    };
  const gauge = (name: string, help: string, valueOf: (member: LiveMember) => number | undefined) =>
    instruments.gaugeOf(name, help, ['slot'], bySlot(valueOf));
  const counter = (name: string, help: string, valueOf: (member: LiveMember) => number) =>
    instruments.counterOf(name, help, ['slot'], bySlot(valueOf));
  const ofGpu = (name: string, help: string, key: keyof GpuUse) =>
    gauge(name, `${help} in this slot, by nvidia-smi; absent where there is none.`, ({ gpu }) => gpu?.[key]);

  instruments.gaugeOf(
    'ardm_workers',
    'Connected workers: ready, or syncing while they receive the state.',
    ['state'],
    () => {
      const states = [...members()].map(({ ready }) => (ready ? 'ready' : 'syncing'));
      return WORKER_STATES.map((state) => [{ state }, states.filter((each) => each === state).length]);
    },
  );
  gauge(
    'ardm_worker_last_seen_seconds',
    'Since the worker in this slot was last heard; gone when the slot is empty.',
    ({ silentSeconds }) => silentSeconds,
  );
  gauge(
    'ardm_worker_step_lag',
    'Committed steps that the ready worker in this slot has not applied yet; 0 or 1 in a healthy run.',
    ({ ready, step }) => (ready ? committed() - step : undefined),
  );
  counter(
    'ardm_worker_slices_total',
    'Slices whose gradients came from the worker in this slot.',
    ({ slices }) => slices,
  );
  counter(
    'ardm_worker_slice_seconds_total',
    'What those took: from the beginning of each step until the last of its gradients was here.',
    ({ sliceSeconds }) => sliceSeconds,
  );
  ofGpu(
    'ardm_worker_gpu_use_ratio',
    'Share of the time, 0 to 1, that something ran on the GPU of the worker',
    'use',
  );
  ofGpu('ardm_worker_gpu_memory_used_bytes', 'Memory in use on the GPU of the worker', 'memoryUsed');
  ofGpu('ardm_worker_gpu_memory_bytes', 'Memory of the GPU of the worker', 'memory');
  ofGpu('ardm_worker_gpu_temperature_celsius', 'Temperature of the GPU of the worker', 'celsius');
}
