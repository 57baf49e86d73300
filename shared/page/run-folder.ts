import { stat } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { mediumOf } from '../config/medium.js';
import { configSchema } from '../config/schema.js';
import { UserError } from '../errors.js';
import { newestManifest, readComponents, type Components, type NewestManifest } from './components.js';
import { pointsAfter } from './curve.js';
import { readLines } from './event-lines.js';
import { createHistory, observe } from './history.js';
import { LoggedEvent } from './logged-event.js';
import { progressOf } from './progress.js';
import { publicConfig } from './public-config.js';
import { readRollup, writeRollup, type Rollup } from './rollup.js';
import { listSamples } from './sample-files.js';
import type { LiveMember, RunChange, RunStatus, RunView, WorkerLive } from './views.js';
import { WorkerMeter } from './worker-meter.js';

/** A roll-up is written anew after so much of the log: a second's reading. */
const ROLLUP_BYTES = 32 * 2 ** 20;

/** What a coordinator knows beyond the folder of its run. */
export interface LiveRun {
  readonly config: Readonly<Record<string, unknown>>;
  readonly members: () => readonly LiveMember[];
}

/** A run's folder as the page shows it, during the run and after. Reads it, and writes nothing but a live run's roll-up. */
export class RunFolder {
  readonly id: string;
  readonly folder: string;
  readonly #live: LiveRun | undefined;
  readonly #meter = new WorkerMeter();
  #rollup: Rollup | undefined;
  /** Bytes that were read since the last roll-up. */
  #unrolled = 0;
  #reading: Promise<void> | undefined;
  #newest: NewestManifest | undefined;
  #components: { readonly of: string; readonly made: Promise<Components | undefined> } | undefined;

  constructor(id: string, folder: string, live?: LiveRun) {
    this.id = id;
    this.folder = folder;
    this.#live = live;
  }

  get samplesFolder(): string {
    return path.join(this.folder, 'samples');
  }

  get #log(): string {
    return path.join(this.folder, 'events.jsonl');
  }

  /** @throws UserError where there is no event log */
  async check(): Promise<void> {
    const there = await stat(this.#log).catch(() => undefined);
    if (there?.isFile()) return;
    throw new UserError(
      `${this.folder} has no events.jsonl, so there is nothing to see. Name the folder of a run, such as runs/mnist`,
    );
  }

  /** Takes in what was logged since; several callers share one reading. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read(): Promise<void> {
    const rollup = (this.#rollup ??= await readRollup(this.#rollupFile, this.#log));
    const restarted = () => void (rollup.history = createHistory());
    const take = (line: string) => {
      this.#unrolled += line.length;
      const event = LoggedEvent.parse(line);
      if (event) observe(rollup.history, event);
      else if (line !== '') rollup.history.numDamaged++;
    };
    // It may be gone, or on a disk that is: what was read stays.
    await readLines(this.#log, rollup.place, take, restarted).catch(() => undefined);
    if (!this.#live) return;
    this.#meter.take(this.#live.members(), performance.now());
    if (this.#unrolled >= ROLLUP_BYTES) await this.#writeRollup(rollup);
  }

  get #rollupFile(): string {
    return path.join(this.folder, 'events-rollup.json');
  }

  async #writeRollup(rollup: Rollup): Promise<void> {
    this.#unrolled = 0;
    // A full disk costs the next reader time, nothing else.
    await writeRollup(this.#rollupFile, this.#log, rollup).catch(() => undefined);
  }

  /** How it is doing. */
  async status(): Promise<RunStatus> {
    await this.refresh();
    return this.#status(await this.#config());
  }

  /** All that the page shows. */
  async view(): Promise<RunView> {
    await this.refresh();
    const config = await this.#config();
    const samples = await listSamples(this.samplesFolder);
    const { start, curve, numEvents, numDamaged, tests, checkpoints, events } = this.#rollup!.history;
    const newest = this.#newest;
    return {
      ...this.#status(config),
      ...(start && { about: start }),
      generation: curve.generation,
      ...{ numEvents, numDamaged, tests, samples },
      curve: pointsAfter(curve, 0),
      checkpoints: checkpoints.toReversed(),
      events: events.toReversed(),
      ...(newest && { shape: newest.manifest.shape, components: path.basename(newest.path) }),
      ...(config && { config: stringify(publicConfig(config)) }),
    };
  }

  #status(config: Readonly<Record<string, unknown>> | undefined): RunStatus {
    return {
      id: this.id,
      name: typeof config?.name === 'string' ? config.name : path.basename(path.resolve(this.folder)),
      live: this.#live !== undefined,
      unit: unitOf(config),
      progress: this.#progress(),
      workers: this.#workers(),
    };
  }

  /** The coordinator's, else that of the newest checkpoint, which is read again where a new one was saved. */
  async #config(): Promise<Readonly<Record<string, unknown>> | undefined> {
    this.#newest = await newestManifest(path.join(this.folder, 'checkpoints'));
    return this.#live?.config ?? this.#newest?.manifest.config;
  }

  /** What there is beyond `step`, for a page that has the view of that moment; `refresh` first. */
  change(step: number): RunChange {
    const { curve, numEvents } = this.#rollup!.history;
    return {
      id: this.id,
      generation: curve.generation,
      numEvents,
      progress: this.#progress(),
      workers: this.#liveWorkers(),
      curve: pointsAfter(curve, step),
    };
  }

  /** Undefined where there is no checkpoint, or none that has seen enough. */
  async components(): Promise<Components | undefined> {
    await this.#config();
    const newest = this.#newest;
    if (!newest) return undefined;
    if (this.#components?.of !== newest.path)
      this.#components = { of: newest.path, made: readComponents(newest).catch(() => undefined) };
    return this.#components.made;
  }

  #progress() {
    return progressOf(this.#rollup!.history, this.#live !== undefined, Date.now());
  }

  #liveWorkers(): WorkerLive[] {
    const { step, start } = this.#rollup!.history;
    const sliceExamples = start ? start.batch / start.slices : 0;
    return this.#live ? this.#meter.read(this.#live.members(), step, sliceExamples) : [];
  }

  #workers(): RunView['workers'] {
    const live = new Map(this.#liveWorkers().map((worker) => [worker.slot, worker]));
    return this.#rollup!.history.workers.map((worker) => {
      const now = live.get(worker.slot);
      return { ...worker, ...(now && { live: now }) };
    });
  }
}

/** What `bitsPerDim` counts, for a reader. */
function unitOf(config: unknown): string {
  const { data } = configSchema.safeParse(config);
  const kind = data ? mediumOf(data.data).kind : 'image';
  return { image: 'bits/dim', text: 'bits/character', audio: 'bits/sample' }[kind];
}
