import type { Averaged } from '../../coordinator/averager.js';
import type { RunEvent } from '../../coordinator/events.js';
import type { Past } from '../../coordinator/journal.js';
import { Exchange, exchangeOptions } from '../../shared/exchange/exchange.js';
import type { Replica } from '../../shared/optimizer/replica.js';
import { DiskOracle } from './disk-oracle.js';
import { headerOf, type Header, type Parts } from './parts.js';
import type { SimulatedProcess } from './process.js';
import { config, model, NUM_TRAIN } from './setup.js';
import type { Worker } from './machine.js';
import type { World } from './world.js';

/** What a run in which nothing failed came to. By committed steps. */
export interface Reference {
  readonly chains: string[];
  readonly hashes: string[];
  readonly evaluations: number[];
  sha256: string;
}

/** What is known of the coordinator's process that lives. */
interface Watched {
  readonly process: SimulatedProcess;
  readonly startedAt: number;
  readonly past: Past;
  /** Committed steps. */
  step: number;
  averaged: Averaged | undefined;
  readonly slots: Map<number, string>;
  /** Workers that hold the state. */
  readonly ready: Set<string>;
}

const STEPS_AN_EPOCH = Math.floor(NUM_TRAIN / config.training.batch);
/** A trouble has consequences for so long, in milliseconds. */
const AFTERMATH_MS = 20_000;

/** Knows what may happen, and what must not: it watches everything and changes nothing. */
export class Oracle {
  readonly violations: string[] = [];
  readonly disk: DiskOracle;
  /** Of a run whose reference is not known: what it came to. */
  readonly reference: Reference;
  numChecks = 0;
  readonly #world: World;
  readonly #isReference: boolean;
  readonly #keepsResiduals: boolean;
  /** What was seen first, by the coordinators' terms. */
  readonly #seen = new Map<number, Reference>();
  #coordinator: Watched | undefined;
  #coordinatorTroubledUntil = -Infinity;
  #peer = '';
  /** Terms in which workers are. */
  readonly #terms = new Map<SimulatedProcess, number>();
  /** Committed steps of the states that workers hold. */
  readonly #held = new Map<Worker, number>();
  readonly #applying = new Set<Worker>();
  readonly #consumed = new Map<number, readonly number[]>();
  /** Those that held the state when the newest step was committed. */
  #keepers = new Set<string>();
  /** What was published could not be noted. */
  #isUnnoted = false;
  /** Since the last step. */
  #hasJournalFailed = false;

  constructor(world: World, reference: Reference | undefined) {
    this.#world = world;
    this.#keepsResiduals = new Exchange(exchangeOptions(world.loaded.config, model)).keepsResiduals;
    this.#isReference = reference === undefined;
    this.reference = reference ?? { chains: [], hashes: [], evaluations: [], sha256: '' };
    this.disk = new DiskOracle((what) => this.violated(what));
  }

  violated(what: string): void {
    const violation = `at ${this.#world.timeline.now.toFixed(1)} ms: ${what}`;
    this.#world.trace(`VIOLATION ${what}`);
    if (this.violations.length < 5) this.violations.push(violation);
  }

  #check(holds: boolean, what: () => string): void {
    this.numChecks++;
    if (!holds) this.violated(what());
  }

  /**
   * Against what the undisturbed run had there; with residuals in what depends on who computed, against what was seen first there while one coordinator
   * lived.
   */
  #compare<K extends 'chains' | 'hashes' | 'evaluations'>(
    kind: K,
    term: number,
    nth: number,
    value: Reference[K][number],
    what: string,
  ): void {
    const of = (this.#keepsResiduals ? this.#seenIn(term) : this.reference)[kind];
    if (this.#isReference || this.#keepsResiduals) of[nth] ??= value;
    this.#check(
      of[nth] === value,
      () => `${what} after step ${nth} is ${String(value)}, and not ${String(of[nth])}`,
    );
  }

  #seenIn(term: number): Reference {
    const seen = this.#seen.get(term) ?? { chains: [], hashes: [], evaluations: [], sha256: '' };
    this.#seen.set(term, seen);
    return seen;
  }

  troubledCoordinator(until: number): void {
    this.#coordinatorTroubledUntil = Math.max(this.#coordinatorTroubledUntil, until);
  }

  relieveCoordinator(): void {
    this.#coordinatorTroubledUntil = this.#world.timeline.now;
  }

  // The coordinator.

  began(process: SimulatedProcess, past: Past, step: number): void {
    const { timeline } = this.#world;
    this.#coordinator = {
      process,
      startedAt: timeline.now,
      past,
      step,
      averaged: undefined,
      slots: new Map(),
      ready: new Set(),
    };
    this.#world.trace(`${process.name} goes on from step ${step} in term ${past.term}`);
    // Where the journal tells of no more, it waits for nobody.
    if (past.commits.at(-1)!.step <= step) this.#checkNothingLost(step);
  }

  /** No step is given up that a worker holds who could have come back. */
  #checkNothingLost(step: number): void {
    const { startedAt, past } = this.#coordinator!;
    const { timeline } = this.#world;
    const waited = timeline.now - startedAt;
    if (this.#isUnnoted) return;
    for (const [worker, held] of this.#held) {
      const { troubledUntil } = worker.machine;
      const isQuiet = troubledUntil < startedAt && this.#coordinatorTroubledUntil <= startedAt;
      const isExpected =
        past.members.includes(worker.identity) ||
        this.#keepers.has(worker.identity) ||
        waited >= 1000 * config.workers.recoverSeconds;
      const couldCome = worker.process.alive && isQuiet && isExpected;
      this.#check(
        held <= step || !couldCome,
        () => `the run goes back to step ${step}, and ${worker.identity} holds step ${held}`,
      );
    }
  }

  averaged(process: SimulatedProcess, averaged: Averaged): void {
    if (this.#coordinator?.process !== process) return;
    this.#coordinator.averaged = structuredClone(averaged);
  }

  /** The coordinator's own replica, after what its thread did. */
  averagerHolds(process: SimulatedProcess, replica: Replica): void {
    const watched = this.#coordinator;
    const step = watched?.averaged?.step;
    if (watched?.process !== process || step === undefined || !process.alive) return;
    const { term } = watched.past;
    this.#compare('hashes', term, step + 1, replica.hash(), "the coordinator's state");
  }

  told(process: SimulatedProcess, event: RunEvent): void {
    if (this.#world.tracing) this.#world.trace(`${process.name} ${JSON.stringify(event)}`);
    const watched = this.#coordinator;
    if (watched?.process !== process) return;
    if (event.event !== 'dropped') this.affected(process, `event ${event.event}`);
    switch (event.event) {
      case 'recovered':
        this.#checkNothingLost(event.step);
        watched.step = event.step;
        break;
      case 'step':
        this.#committed(watched, event.step);
        break;
      case 'journal-failed':
        this.#isUnnoted = true;
        this.#hasJournalFailed = true;
        break;
      case 'join':
        watched.slots.set(event.slot, this.#peer);
        break;
      case 'leave':
        watched.ready.delete(watched.slots.get(event.slot)!);
        this.#putOut(watched.slots.get(event.slot)!, event.reason);
        break;
      case 'evaluation':
        this.#compare('evaluations', watched.past.term, event.step, event.bitsPerDim, 'the evaluation');
        break;
      case 'divergence':
        this.violated(`slot ${event.slot} holds another state at step ${event.step}`);
        break;
    }
  }

  #committed(watched: Watched, step: number): void {
    const { chain, statistics } = watched.averaged!;
    // Once there is room again, the journal tells of everything.
    this.#isUnnoted = this.#hasJournalFailed;
    this.#hasJournalFailed = false;
    this.#check(step === watched.step + 1, () => `step ${step} is committed after step ${watched.step}`);
    watched.step = step;
    this.#keepers = new Set(watched.ready);
    this.#compare('chains', watched.past.term, step, chain, 'the chain');
    // The lanes hide an example's number in its log-likelihood.
    const examples = [...statistics.logLikelihoods].map((nats) => Math.floor(-nats) - 1);
    this.#consumed.set(step, examples);
    const first = step - ((step - 1) % STEPS_AN_EPOCH);
    const epoch: number[] = [];
    for (let of = first; of <= step; of++) epoch.push(...(this.#consumed.get(of) ?? []));
    this.#check(
      new Set(epoch).size === epoch.length,
      () => `step ${step} takes an example again: ${epoch.join(' ')}`,
    );
  }

  /** Whoever did nothing wrong, and was not troubled, stays. */
  #putOut(identity: string, reason: string): void {
    const machine = this.#world.machines.find(({ worker }) => worker?.identity === identity);
    if (!machine) return;
    const troubledUntil = Math.max(machine.troubledUntil, this.#coordinatorTroubledUntil);
    this.#check(
      troubledUntil + AFTERMATH_MS > this.#world.timeline.now,
      () => `${identity} was put out without a cause: ${reason}`,
    );
  }

  done(process: SimulatedProcess, step: number, sha256: string): void {
    this.#world.trace(`${process.name} is done: step ${step}, ${sha256}`);
    this.#check(step === config.training.steps, () => `it ended at step ${step}`);
    if (this.#isReference) this.reference.sha256 = sha256;
    this.#check(
      sha256 === this.reference.sha256 || this.#keepsResiduals,
      () => `the weights at the end are ${sha256}, and not ${this.reference.sha256}`,
    );
  }

  // Workers.

  applying(worker: Worker): void {
    this.#held.delete(worker);
    this.#applying.add(worker);
  }

  applied(worker: Worker, step: number, replica: Replica): void {
    const term = this.#terms.get(worker.process)!;
    this.#compare('hashes', term, step, replica.hash(), `the state of ${worker.identity}`);
    // Where its session ended meanwhile, it can't offer this state.
    if (this.#applying.delete(worker)) this.#held.set(worker, step);
  }

  connects(worker: Worker): void {
    this.#applying.delete(worker);
  }

  said(worker: Worker, line: string): void {
    this.#world.trace(`${worker.identity} ${line}`);
    // Who was put out may get frames whose memory is in use again.
    const { damaged, troubledUntil } = worker.machine;
    this.#check(
      !line.includes('damaged') || damaged || troubledUntil + AFTERMATH_MS > this.#world.timeline.now,
      () => `${worker.identity} got what was not sent: ${line}`,
    );
  }

  // Messages.

  /** Returns the message's type. */
  posted(process: SimulatedProcess, parts: Parts): string | undefined {
    const header = headerOf(parts);
    if (header.type !== 'rejoin') this.affected(process, `it said ${header.type}`);
    const worker = this.#workerOf(process);
    if (worker && header.type === 'ready') this.#held.set(worker, header.step!);
    return header.type;
  }

  /** Returns the message's type, unless it is damaged. */
  received(process: SimulatedProcess, id: string, parts: Parts): string | undefined {
    const header: Header = this.#world.damaged.has(parts) ? {} : headerOf(parts);
    const watched = this.#coordinator;
    const worker = this.#workerOf(process);
    process.handling = undefined;
    if (this.#world.tracing && header.type !== 'alive') {
      const { crc, config, ...rest } = header as Header & { config?: unknown };
      this.#world.trace(
        `${process.name} takes ${worker ? '' : `${id}'s `}${JSON.stringify(rest)}${crc || config ? ' ...' : ''}`,
      );
    }
    if (!worker) this.#peer = id;
    const term = worker ? this.#terms.get(process) : watched?.past.term;
    if (worker && header.type === 'welcome') this.#terms.set(process, header.term!);
    else if (header.term !== undefined && header.term !== term)
      process.handling = `a message ${header.type} of term ${header.term}, not ${term}`;
    else if (!worker && header.type === 'ready') watched?.ready.add(id);
    return header.type;
  }

  /** In which a process is; undefined before it is in any. */
  termOf(process: SimulatedProcess): number | undefined {
    return (
      this.#terms.get(process) ??
      (this.#coordinator?.process === process ? this.#coordinator.past.term : undefined)
    );
  }

  /** Something changes: not because of a message that may change nothing. */
  affected(process: SimulatedProcess, effect: string): void {
    if (process.handling === undefined || !process.alive) return;
    this.violated(`${process.name}: ${effect}, because of ${process.handling}`);
  }

  #workerOf(process: SimulatedProcess): Worker | undefined {
    return this.#world.machines.find(({ worker }) => worker?.process === process)?.worker;
  }
}
