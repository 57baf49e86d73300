import type { Registry } from 'prom-client';
import { Instruments } from '../shared/metrics/instruments.js';
import type { LiveMember } from '../shared/page/views.js';
import { departureOf } from './departures.js';
import type { Observer, RunEvent } from './events.js';
import type { DROP_REASONS } from './run-instruments.js';
import { createRunInstruments, STATES, WRITE_ERRORS, type Asked } from './run-instruments.js';
import { describeWorkers } from './worker-metrics.js';

export interface MetricsOptions extends Partial<Asked> {
  readonly version: string;
  /** Optimizer steps in all. */
  readonly steps: number;
  /** Classes of a variable: what a dimension takes uncompressed. */
  readonly numClasses: number;
  /** Bytes of a gradient as float32, over those that travel. */
  readonly gradientCompression?: number;
  /** The workers connected right now, asked at each scrape. */
  readonly members?: () => Iterable<LiveMember>;
}

/**
 * The run's metrics in a registry of its own, fed by its events (docs/metrics.md lists them). No label's values grow
 * with time: workers are told apart by slot, reasons by a few words.
 */
export function createMetrics({
  version,
  steps,
  numClasses,
  gradientCompression = 1,
  members = () => [],
  refused = () => 0,
  diskFree = () => undefined,
}: MetricsOptions): Observer & { registry: Registry } {
  const instruments = new Instruments();
  let batch = 0;
  let committed = 0;

  const run = createRunInstruments(instruments, { refused, diskFree });
  run.planned.set(steps);
  run.gradientCompression.set(gradientCompression);
  describeWorkers(instruments, members, () => committed);
  instruments.describeProcess(version);

  const enter = (current: (typeof STATES)[number]) => {
    for (const each of STATES) run.state.set({ state: each }, each === current ? 1 : 0);
  };
  enter('starting');
  const commit = (steps: number) => run.step.set((committed = steps));
  const observe = (event: RunEvent, time: number) => {
    switch (event.event) {
      case 'start':
        batch = event.batch;
        run.about.set({ run: event.run, config_hash: event.configHash }, 1);
        commit(event.step);
        break;
      case 'waiting':
        enter('waiting');
        break;
      case 'step':
        enter('training');
        commit(event.step);
        run.stepsTotal.inc({ outcome: 'committed' });
        for (const [phase, seconds] of Object.entries(event.phases))
          run.stepDuration.observe({ phase }, seconds);
        run.samples.inc(batch);
        run.epoch.set(Math.floor(event.epoch));
        run.epochProgress.set(event.epoch % 1);
        run.loss.set({ split: 'train' }, event.bitsPerDim);
        run.objective.set(event.loss);
        run.clipFactor.set(event.clipFactor);
        run.gradientNorm.set(event.gradientNorm);
        run.learningRate.set(event.learningRate);
        for (const direction of ['in', 'out'] as const) {
          for (const [kind, count] of Object.entries(event.bytesByType[direction]))
            run.bytes.inc({ direction, kind }, count);
        }
        break;
      case 'join':
        run.quorumChanges.inc({ cause: 'join' });
        break;
      case 'leave':
        run.quorumChanges.inc({ cause: departureOf(event.reason) });
        break;
      case 'restart':
        run.restarts.inc();
        break;
      case 'redeal':
        run.stepsTotal.inc({ outcome: 'retried' });
        run.redealt.inc(event.slices);
        break;
      case 'nonfinite':
        run.nonfinite.inc();
        break;
      case 'dropped':
        run.dropped.inc({ reason: dropReason(event.message, event.reason) }, 1 + (event.more ?? 0));
        break;
      case 'divergence':
        run.divergence.inc();
        break;
      case 'evaluation':
        run.loss.set({ split: event.split }, event.bitsPerDim);
        run.standardError.set(event.standardError);
        run.dataCompression.set(Math.log2(numClasses) / event.bitsPerDim);
        run.taskDuration.set({ kind: 'evaluate' }, event.seconds);
        break;
      case 'samples':
        run.taskDuration.set({ kind: 'sample' }, event.seconds);
        break;
      case 'checkpoint':
        run.checkpointDuration.observe({ phase: 'snapshot' }, event.snapshotSeconds);
        run.checkpointDuration.observe({ phase: 'write' }, event.seconds);
        run.checkpointTime.set(time / 1000);
        run.checkpointStep.set(event.step);
        run.checkpointBytes.set(event.bytes);
        break;
      case 'notice-failed':
        run.noticeFailures.inc({ by: event.by });
        break;
      case 'journal-failed':
        run.journalFailures.inc();
        break;
      case 'checkpoint-failed':
        run.checkpointFailures.inc({ reason: errorCode(event.reason) });
        break;
      case 'stopping':
      case 'done':
      case 'failed':
        enter(event.event);
        break;
    }
  };
  return Object.assign(observe, { registry: instruments.registry });
}

/** The reason in the event is a sentence and may quote the worker: as a label it would have no bound. */
function dropReason(message: string, reason: string): (typeof DROP_REASONS)[number] {
  if (message === 'hello') return 'refused';
  if (message === 'unreadable') return 'unreadable';
  return reason === 'another term' || reason === 'not dealt to it' ? 'stale' : 'malformed';
}

/** The system's error code in a message. */
function errorCode(message: string): string {
  return WRITE_ERRORS.find((code) => message.includes(code)) ?? 'other';
}
