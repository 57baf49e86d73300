import type { GpuUse } from '../protocol/messages.js';
import type { CurvePart } from './curve.js';

/** What the coordinator knows of a worker right now. */
export interface LiveMember {
  readonly slot: number;
  /** Holds the state and can be dealt slices. */
  readonly ready: boolean;
  /** Steps that its replica has applied. */
  readonly step: number;
  /** Since it was last heard. */
  readonly silentSeconds: number;
  /** Slices whose gradients it has sent since it joined. */
  readonly slices: number;
  /** What those took: from the beginning of each step, or their dealing, until the last of its gradients was here. */
  readonly sliceSeconds: number;
  readonly gpu?: GpuUse | undefined;
}

export const STATES = [
  'starting',
  'waiting',
  'training',
  'finishing',
  'stopping',
  'done',
  'failed',
  'silent',
] as const;
/** `finishing`: the last evaluation and samples; `silent`: not live, and its log has no end. */
export type State = (typeof STATES)[number];

/** How far a run is. Times are milliseconds since 1970. */
export interface Progress {
  readonly state: State;
  /** Why it waits, stops or failed. */
  readonly reason?: string;
  readonly step: number;
  readonly steps: number;
  /** Passes over the training split. */
  readonly epoch: number;
  /** Mean over the last 50 steps or so. */
  readonly bitsPerDim?: number;
  /** Of the last evaluation. */
  readonly testBitsPerDim?: number;
  readonly examplesPerSecond?: number;
  readonly etaSeconds?: number;
  /** Mean seconds a step of the last few. */
  readonly phases?: Phases;
  /** Of the process that trains or trained last. */
  readonly startedAt?: number;
  readonly lastEventAt?: number;
}

export const PHASES = ['compute', 'upload', 'reduce', 'publish'] as const;
export type Phases = Readonly<Record<(typeof PHASES)[number], number>>;

/** A worker as a row; those of a run that isn't live have only what their join told. */
export interface WorkerView {
  readonly slot: number;
  readonly host: string;
  readonly device: string;
  readonly pid: number;
  readonly joinedAt: number;
  readonly live?: WorkerLive;
}

export interface WorkerLive {
  readonly slot: number;
  readonly state: 'receiving the state' | 'ready';
  /** Committed steps that it has not applied yet. */
  readonly lag: number;
  readonly silentSeconds: number;
  /** Over the last half minute. */
  readonly examplesPerSecond?: number;
  /** Of the examples in that time, 0 to 1. */
  readonly share?: number;
}

export interface TestView {
  readonly step: number;
  readonly bitsPerDim: number;
  readonly standardError: number;
}

export interface CheckpointView {
  readonly step: number;
  readonly time: number;
  readonly name: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly snapshotSeconds: number;
}

/** A line of the event log, but for steps: its fields as text. */
export interface EventView {
  readonly time: number;
  readonly step: number;
  readonly event: string;
  readonly text: string;
}

/** The samples of a step; names below `samples/`. */
export interface SamplesView {
  readonly step: number;
  readonly picture?: string;
  readonly text?: string;
  readonly clips: readonly string[];
  /** How they filled in: see `ardm sample --frames`. */
  readonly frames?: string;
}

/** How a run is doing. */
export interface RunStatus {
  readonly id: string;
  readonly name: string;
  /** Served by its coordinator. */
  readonly live: boolean;
  /** What bounds are counted in: `bits/dim`. */
  readonly unit: string;
  readonly progress: Progress;
  readonly workers: readonly WorkerView[];
}

/** All that the page shows of a run. */
export interface RunView extends RunStatus {
  readonly about?: {
    readonly run: string;
    readonly version: string;
    readonly numParameters: number;
    readonly batch: number;
    readonly slices: number;
  };
  readonly generation: number;
  /** Events other than steps so far. */
  readonly numEvents: number;
  /** Lines of the log that could not be read. */
  readonly numDamaged: number;
  readonly curve: CurvePart;
  readonly tests: readonly TestView[];
  /** Newest first, as the following. */
  readonly checkpoints: readonly CheckpointView[];
  readonly events: readonly EventView[];
  readonly samples: readonly SamplesView[];
  /** [height, width, channels] of an example, once a checkpoint tells. */
  readonly shape?: readonly [number, number, number];
  /** YAML. */
  readonly config?: string;
  /** A plot of the loss components can be had; the checkpoint it is from. */
  readonly components?: string;
}

/** What changed since a `RunView` or an earlier change; another generation or number of events asks for a new view. */
export interface RunChange {
  readonly id: string;
  readonly generation: number;
  readonly numEvents: number;
  readonly progress: Progress;
  readonly workers: readonly WorkerLive[];
  /** These follow the points before the first of them. */
  readonly curve: CurvePart;
}

/** Loss components, for those who can't see the plot: means over equal parts of the steps. */
export interface ComponentsView {
  readonly checkpoint: string;
  readonly policy: { readonly name: string; readonly calls: number };
  readonly rows: readonly {
    readonly first: number;
    readonly last: number;
    readonly bitsPerVariable: number;
    readonly calls: number;
  }[];
}
