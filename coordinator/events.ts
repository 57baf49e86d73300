import type { NOTICES } from '../shared/config/schema.js';

/** Everything that a run tells of itself: one line each in events.jsonl, and what metrics and progress are made of. */
export type RunEvent =
  | {
      event: 'start';
      step: number;
      run: string;
      version: string;
      configHash: string;
      numParameters: number;
      steps: number;
      batch: number;
      slices: number;
    }
  | { event: 'listen'; step: number; workers: string; http: string }
  | { event: 'resume'; step: number; checkpoint: string; skipped: string[] }
  /** The newest state was found after a restart; `lost` published steps have to be taken again. */
  | { event: 'recovered'; step: number; lost: number }
  | { event: 'journal-failed'; step: number; reason: string }
  | { event: 'waiting'; step: number; reason: string }
  | {
      event: 'join';
      step: number;
      slot: number;
      pid: number;
      host: string;
      device: string;
      incarnation: number;
    }
  | { event: 'leave'; step: number; slot: number; pid: number; reason: string; members: number }
  | { event: 'restart'; step: number; slot: number; attempt: number; delaySeconds: number; reason: string }
  /** Workers are started on it over ssh. */
  | {
      event: 'host-restart';
      step: number;
      host: string;
      attempt: number;
      delaySeconds: number;
      reason: string;
    }
  | { event: 'host-lost'; step: number; host: string; reason: string }
  | {
      event: 'step';
      step: number;
      bitsPerDim: number;
      loss: number;
      gradientNorm: number;
      clipFactor: number;
      learningRate: number;
      epoch: number;
      seconds: number;
      phases: StepPhases;
      members: number;
      bytesIn: number;
      bytesOut: number;
      /** The same by message type. */
      bytesByType: { in: Readonly<Record<string, number>>; out: Readonly<Record<string, number>> };
      /** Where times by worker are asked for. */
      work?: readonly Work[];
    }
  | { event: 'redeal'; step: number; slices: number; reason: string }
  | { event: 'nonfinite'; step: number; slot: number; tensor: string }
  /** `more` of its kind were not told before it. */
  | { event: 'dropped'; step: number; slot: number; message: string; reason: string; more?: number }
  /** A connection was not let in, and `more` before it that were not told. */
  | { event: 'refused'; step: number; reason: string; more: number }
  | { event: 'divergence'; step: number; slot: number; expected: string; found: string }
  | {
      event: 'evaluation';
      step: number;
      split: 'test';
      bitsPerDim: number;
      standardError: number;
      examples: number;
      seconds: number;
    }
  | { event: 'samples'; step: number; path: string; count: number; budget: number; seconds: number }
  | {
      event: 'checkpoint';
      step: number;
      path: string;
      sha256: string;
      bytes: number;
      seconds: number;
      snapshotSeconds: number;
      /** Old checkpoints that could not be removed, for instance. */
      warnings: readonly string[];
    }
  | { event: 'checkpoint-failed'; step: number; reason: string }
  | { event: 'notice-failed'; step: number; notice: NoticeKind; by: 'webhook' | 'command'; reason: string }
  | { event: 'stopping'; step: number; reason: string }
  | { event: 'done'; step: number; seconds: number; sha256: string }
  | { event: 'failed'; step: number; reason: string; exitCode: number };

/** Seconds of one step, as the coordinator sees them: dealing to first result, to last result, to average, to publication. */
export interface StepPhases {
  compute: number;
  upload: number;
  reduce: number;
  publish: number;
}

export type NoticeKind = (typeof NOTICES)[number];

/** Slices `begin` to `end` at a worker. The times are seconds since the step began; what is dealt a step ahead has one below 0. */
export interface Work {
  slot: number;
  begin: number;
  end: number;
  dealt: number;
  /** When the worker could begin: it had them, the step had begun, and its sum before was there. */
  from: number;
  /** When their sum was there. */
  to: number;
}

/** Receives every event in order. `time` is milliseconds since 1970. Must not throw. */
export type Observer = (event: RunEvent, time: number) => void;
