import type { Registry } from 'prom-client';
import { Instruments, type Reading } from '../shared/metrics/instruments.js';
import { messageBytes } from '../shared/protocol/codec.js';
import type { GpuUse } from '../shared/protocol/messages.js';

/** What a worker tells of its work. */
export interface WorkerObserver {
  /** A slice was computed. */
  slice(seconds: number): void;
  /** The replica took an update, and has so many now. */
  applied(step: number, seconds: number): void;
  /** A message came or went. */
  message(direction: 'in' | 'out', kind: string, parts: readonly Uint8Array[]): void;
}

/** A worker's metrics, and what they are told. */
export interface WorkerMetrics extends WorkerObserver {
  readonly registry: Registry;
  /** It is part of a run now. */
  joined(slot: number): void;
}

export interface WorkerMetricsOptions {
  readonly version: string;
  readonly device: { readonly description: string; readonly provider: string };
  readonly lanes: number;
  /** Asked at each scrape. */
  readonly gpu: () => GpuUse | undefined;
}

/** A worker's metrics in a registry of its own. */
export function createWorkerMetrics({ version, device, lanes, gpu }: WorkerMetricsOptions): WorkerMetrics {
  const instruments = new Instruments();
  const step = instruments.measured('ardm_replica_step', 'Committed steps that the replica has applied.');
  const slot = instruments.measured('ardm_replica_slot', 'The slot that it has with its coordinator.');
  const joins = instruments.counter(
    'ardm_replica_joins_total',
    'Times that it joined: once, and again whenever it was put out or the coordinator went away.',
  );
  const slices = instruments.durations(
    'ardm_replica_slice_duration_seconds',
    'Computing a slice on a lane, forward and backward.',
  );
  const updates = instruments.durations(
    'ardm_replica_apply_duration_seconds',
    'Applying an update to the replica, with the wait for a free lane.',
  );
  const bytes = instruments.counter(
    'ardm_replica_bytes_total',
    "Message bytes in and out of this worker, by the message's type.",
    'direction',
    'kind',
  );
  instruments
    .gauge('ardm_replica_lanes', 'Slices that it computes at a time, by the device.', 'provider', 'device')
    .set({ provider: device.provider, device: device.description }, lanes);
  const ofGpu = (name: string, help: string, key: keyof GpuUse) =>
    instruments.gaugeOf(name, `${help}, by nvidia-smi; absent where there is none.`, [], (): Reading[] => {
      const value = gpu()?.[key];
      return value === undefined ? [] : [[{}, value]];
    });
  ofGpu('ardm_replica_gpu_use_ratio', 'Share of the time, 0 to 1, that something ran on the GPU', 'use');
  ofGpu('ardm_replica_gpu_memory_used_bytes', 'Memory in use on the GPU', 'memoryUsed');
  ofGpu('ardm_replica_gpu_memory_bytes', 'Memory of the GPU', 'memory');
  ofGpu('ardm_replica_gpu_temperature_celsius', 'Temperature of the GPU', 'celsius');
  instruments.describeProcess(version);

  return {
    registry: instruments.registry,
    slice: (seconds) => slices.observe(seconds),
    applied: (applied, seconds) => {
      step.set(applied);
      updates.observe(seconds);
    },
    message: (direction, kind, parts) => bytes.inc({ direction, kind }, messageBytes(parts)),
    joined: (taken) => {
      slot.set(taken);
      joins.inc();
    },
  };
}
