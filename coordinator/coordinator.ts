import type { Clock } from '../shared/clock.js';
import type { Config } from '../shared/config/schema.js';
import { EXIT, UserError } from '../shared/errors.js';
import type { Exchange } from '../shared/exchange/exchange.js';
import { statisticsFrames } from '../shared/exchange/statistics.js';
import { summarize } from '../shared/method/bound.js';
import type { ModelDescription } from '../shared/model/description.js';
import type { LiveMember } from '../shared/page/views.js';
import { decode, encode, ProtocolError } from '../shared/protocol/codec.js';
import { fromWorkerSchema, PROTOCOL, type FromWorker, type ToWorker } from '../shared/protocol/messages.js';
import type { Averaged, Averager } from './averager.js';
import {
  createCore,
  decide,
  type CoreAction,
  type CoreEvent,
  type CoreState,
  type Recovery,
} from './core.js';
import type { RunEvent } from './events.js';
import { Gathering, type Gathered } from './gathering.js';
import { Guard } from './guard.js';
import { provenStep, type Journal, type Past } from './journal.js';
import { Peer } from './peer.js';
import { isDue, type Products } from './products.js';
import { Publications } from './publications.js';
import type { SameHostLane } from './same-host-lane.js';
import type { Sharder } from './sharder.js';
import { StateHashes, type Divergence } from './state-hashes.js';
import { StateTransfer } from './state-transfer.js';
import { StepClock } from './step-clock.js';
import { Traffic } from './traffic.js';
import type { WorkTimes } from './work-times.js';
import type { WorkerLink } from './worker-link.js';

export interface CoordinatorOptions {
  readonly config: Config;
  readonly version: string;
  readonly run: string;
  readonly term: number;
  readonly startStep: number;
  readonly shape: readonly [number, number, number];
  readonly numClasses: number;
  readonly model: ModelDescription;
  readonly modelDigest: string;
  readonly exchange: Exchange;
  readonly averager: Averager;
  /** Through which workers of this machine exchange gradients; undefined: through their connections. */
  readonly lane?: SameHostLane | undefined;
  readonly sharder: Sharder;
  readonly products: Products;
  readonly link: WorkerLink;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Where the journal tells of commits beyond `startStep`: how their state is looked for. */
  readonly recovery?: Recovery & Pick<Past, 'commits'>;
  /** Given where steps are to tell when each worker had its slices. */
  readonly workTimes?: WorkTimes;
  readonly emit: (event: RunEvent) => void;
  /** A checkpoint is due now: the replica is between two steps. */
  readonly checkpoint: () => void;
}

/** How long a stopping coordinator waits for those that it told to go. */
const HANG_UP_MS = 1000;
/** Between the end of a connection and the look at whose it was: the socket has let go of it by then, and no worker is back yet. */
const LOOK_MS = 100;

/** More workers than any run has. */
const MAX_MEMBERS = 4096;
/** Averages that wait for the slowest member, in bytes and in steps: whoever is further behind is put out. */
const MAX_WAITING_BYTES = 2 ** 30;
const MAX_WAITING_STEPS = { least: 8, most: 1024 };

/** How a run ended. */
export interface Outcome {
  readonly exitCode: number;
  readonly reason?: string;
}

/** Feeds the core with what the sockets and threads say, and carries out what it decides. */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #core: CoreState;
  readonly #peers = new Map<string, Peer>();
  readonly #publications = new Publications();
  readonly #hashes = new StateHashes();
  readonly #stepClock: StepClock;
  #averaged: Averaged | undefined;
  readonly #transfer: StateTransfer;
  #waiting = false;
  readonly #traffic = new Traffic();
  readonly #guard: Guard;
  #isLooking = false;
  #repeatable = true;
  /** The products that are being written. */
  #finishing: Promise<void> = Promise.resolve();
  #stopTicking: () => void = () => undefined;
  #finish!: (outcome: Outcome) => void;
  /** Resolves when the run is done, has failed or was stopped. */
  readonly outcome = new Promise<Outcome>((resolve) => (this.#finish = resolve));

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    const { config, term, startStep, averager, products } = options;
    const { training, workers } = config;
    this.#guard = new Guard({ clock: options.clock, step: () => this.step, emit: options.emit });
    this.#transfer = new StateTransfer({
      ...{ averager, model: options.model, bucketBytes: workers.bucketBytes, term, clock: options.clock },
      say: (id, header, frames) => this.#say(id, header, frames),
    });
    this.#stepClock = new StepClock(options.clock.now());
    this.#core = createCore(
      {
        term,
        slices: training.slices,
        steps: training.steps,
        minimumMembers: workers.minimum,
        waitMs: workers.waitSeconds * 1000,
        heartbeatTimeoutMs: workers.heartbeatTimeoutSeconds * 1000,
        stepTimeoutMs: workers.stepTimeoutSeconds * 1000,
        tasksAfter: (step) => products.tasksAfter(step),
      },
      startStep,
      options.clock.now(),
      options.recovery,
    );
    averager.on('averaged', (averaged) => {
      this.#averaged = averaged;
      this.#feed({ kind: 'averaged', step: averaged.step });
    });
    averager.on('nonfinite', (step) => this.#fail(`step ${step}: the sum of the gradients is not finite`));
    averager.on('hash', (own) => this.#putOut(this.#hashes.own(own)));
    averager.on('error', (error) => this.#fail(`the averager failed: ${error.message}`));
  }

  /** Committed steps. */
  get step(): number {
    return this.#core.step;
  }

  /** Connections that were not let in. */
  get numRefused(): number {
    return this.#guard.numRefused;
  }

  /** Whether one slice gives the same bytes twice on every worker that joined so far. */
  get repeatable(): boolean {
    return this.#repeatable;
  }

  /** For how long there have been too few workers; undefined while there are enough. */
  get waitingSeconds(): number | undefined {
    const { waitingSince } = this.#core;
    return waitingSince === undefined ? undefined : (this.#now() - waitingSince) / 1000;
  }

  get members(): LiveMember[] {
    const now = this.#now();
    return [...this.#core.members.values()].map(({ id, slot, ready, step, lastSeen }) => ({
      slot,
      ready,
      step,
      silentSeconds: (now - lastSeen) / 1000,
      slices: this.#peers.get(id)?.slices ?? 0,
      sliceSeconds: this.#peers.get(id)?.sliceSeconds ?? 0,
      gpu: this.#peers.get(id)?.gpu,
    }));
  }

  /** Binds and starts. Returns the address that workers connect to; a busy port is a UserError. */
  async listen(address: string): Promise<string> {
    try {
      return await this.#options.link.listen(address, {
        hungUp: () => void this.#look(),
        // What was on its way is lost with a connection, even where the worker makes another.
        unreachable: (id) => this.#feed({ kind: 'leave', id, reason: 'its connection is gone' }),
        refused: (reason) => this.#guard.refused(reason),
      });
    } catch (error) {
      throw new UserError(
        `cannot listen on ${address}: ${(error as Error).message}. ` +
          'Another coordinator may be running; choose another port with --listen, or port 0 for any free one',
        EXIT.failure,
        { cause: error },
      );
    }
  }

  /** Begins to serve workers. */
  start(): void {
    const { clock, config } = this.#options;
    this.#stopTicking = clock.every(Math.min(1000, config.workers.heartbeatSeconds * 500), () =>
      this.#tick(),
    );
    this.#feed({ kind: 'tick' });
    void this.#receive();
  }

  /** The process of a local worker is gone: no need to wait until it has been silent for long. */
  localDied(local: number, reason: string): void {
    for (const [id, peer] of this.#peers)
      if (peer.local === local) this.#feed({ kind: 'leave', id, reason: `its process died (${reason})` });
  }

  /** Ends the run before its time. */
  stop(outcome: Outcome): void {
    this.#core.finished = true;
    this.#finish(outcome);
  }

  /** Tells everyone to go and closes the socket: once they have hung up, since what a process leaves unsent ends with it. */
  async close(reason: string): Promise<void> {
    const { link, clock } = this.#options;
    this.#stopTicking();
    for (const id of this.#core.members.keys()) this.#say(id, { type: 'stop', reason });
    await link.flush();
    const deadline = clock.now() + HANG_UP_MS;
    while (link.connections > 0 && clock.now() < deadline) await clock.sleep(10);
    link.close();
  }

  #now(): number {
    return this.#options.clock.now();
  }

  /** Says something to everyone, to see who isn't there. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#options.clock.sleep(LOOK_MS);
    this.#isLooking = false;
    if (!this.#core.finished) this.#sayAlive();
  }

  #sayAlive(): void {
    for (const id of this.#core.members.keys()) this.#say(id, { type: 'alive' });
  }

  /** Puts a member out for what it sent. */
  #punish(id: string, reason: string): void {
    this.#guard.fault(id);
    this.#feed({ kind: 'leave', id, reason });
  }

  /** To someone who is no member, and may not be listening. */
  #answer(id: string, header: ToWorker): void {
    if (this.#guard.mayBeAnswered(id)) this.#say(id, header);
  }

  #fail(reason: string): void {
    this.stop({ exitCode: EXIT.failure, reason });
  }

  #tick(): void {
    this.#sayAlive();
    // What has arrived is heard first: nobody is silent because this process was busy.
    void this.#options.clock.turn().then(() => this.#feed({ kind: 'tick' }));
  }

  #say(id: string, header: ToWorker, frames: readonly Uint8Array[] = []): void {
    const parts = encode(header, frames);
    this.#traffic.count('out', header.type, parts);
    this.#options.link.post(id, parts);
  }

  async #receive(): Promise<void> {
    const { link } = this.#options;
    try {
      for await (const { id, parts } of link.receive()) this.#hear(id, parts);
    } catch (error) {
      if (!link.closed) this.#fail(`the socket failed: ${(error as Error).message}`);
    }
  }

  #hear(id: string, parts: readonly Uint8Array[]): void {
    let message;
    try {
      message = decode(fromWorkerSchema, parts);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#traffic.count('in', 'unreadable', parts);
      this.#drop(id, 'unreadable', error.message);
      // Whatever it was that a member said is missing now.
      return this.#punish(id, `sent ${error.message}`);
    }
    const { header, frames } = message;
    this.#traffic.count('in', header.type, parts);
    if (header.type === 'hello') return this.#welcome(id, header);
    const peer = this.#peers.get(id);
    if (!peer)
      return this.#answer(id, { type: 'rejoin', reason: 'the coordinator does not know this worker' });
    const isBulk = ['gradient', 'sum', 'examples', 'state'].includes(header.type);
    if (!isBulk && !this.#guard.mayChat(id))
      return this.#punish(id, 'sent more messages than there is to say');
    if ('term' in header && header.term !== this.#options.term)
      return this.#drop(id, header.type, 'another term');
    switch (header.type) {
      case 'alive':
        peer.gpu = header.gpu;
        return this.#feed({ kind: 'alive', id });
      case 'leave':
        return this.#feed({ kind: 'leave', id, reason: header.reason });
      case 'ready':
        return this.#ready(id, header.step);
      case 'state':
      case 'state-end':
        return this.#fetched(id, header, frames);
      case 'attached':
        peer.attached = peer.sums !== undefined;
        // Nobody else is to open it.
        return peer.sums?.close();
      case 'gradient':
      case 'sum':
      case 'examples':
        return this.#gradient(id, peer, header, frames);
      case 'nonfinite':
        return this.#nonfinite(id, header);
      case 'applied':
        return this.#applied(id, header.step, header.hash);
      case 'result':
        return this.#result(id, header.step, header.task, frames[0]);
    }
  }

  #welcome(id: string, hello: FromWorker & { type: 'hello' }): void {
    const { version, run, term, config, shape, numClasses, model, modelDigest } = this.#options;
    const { exchange, averager, lane, sharder, products } = this.#options;
    if (hello.protocol !== PROTOCOL || hello.version !== version) {
      const reason = `the worker runs ardm ${hello.version}, this coordinator ${version}: install the same version on both`;
      this.#drop(id, 'hello', reason);
      return this.#answer(id, { type: 'refuse', reason });
    }
    const known = this.#peers.get(id);
    if (known && hello.attempt <= known.attempt) return;
    const problem = this.#guard.joinProblem(id);
    if (problem !== undefined) return this.#drop(id, 'hello', problem);
    if (known) this.#punish(id, 'said hello again');
    if (this.#peers.size >= MAX_MEMBERS) {
      const reason = `there are ${MAX_MEMBERS} workers already`;
      this.#drop(id, 'hello', reason);
      return this.#answer(id, { type: 'refuse', reason });
    }
    const { pid, host, device, lanes, repeatable } = hello;
    this.#repeatable &&= repeatable;
    const gathering = new Gathering(exchange, model.numSteps, sharder.sliceSize, () => averager.take());
    // A codec's bytes are no sums that could be added where they lie.
    const sums = exchange.isLossless ? lane?.offer(hello) : undefined;
    this.#peers.set(id, new Peer(hello, gathering, sums));
    const offer = this.#offerOf(hello);
    const join: CoreEvent = { kind: 'join', id, lanes, ...(offer !== undefined && { offer }) };
    const actions = decide(this.#core, join, this.#now());
    const member = this.#core.members.get(id);
    if (!member) return;
    const { slot, incarnation } = member;
    this.#say(id, {
      type: 'welcome',
      run,
      term,
      slot,
      config,
      shape: [...shape],
      numClasses,
      numTestExamples: products.numEvaluated,
      model: modelDigest,
      ...(sums && { memory: lane!.memory(sums) }),
      codec: exchange.format,
    });
    this.#options.emit({ event: 'join', step: this.step, slot, pid, host, device, incarnation });
    this.#carryOut(actions);
  }

  /** Committed steps of the state that a worker holds from before, where that is wanted and proven to be the run's. */
  #offerOf({ replica }: FromWorker & { type: 'hello' }): number | undefined {
    const { recovery, run } = this.#options;
    return recovery && replica?.run === run ? provenStep(recovery, replica.links) : undefined;
  }

  /** Part of the state that a worker gives back, or its end. */
  #fetched(
    id: string,
    header: FromWorker & { type: 'state' | 'state-end' },
    frames: readonly Uint8Array[],
  ): void {
    if (this.#core.recovering?.fetching?.id !== id) return this.#drop(id, header.type, 'not asked for');
    const taken = this.#transfer.take(header, frames);
    if (taken === 'more') return this.#feed({ kind: 'alive', id });
    if (taken !== 'all') return this.#punish(id, `gave back ${taken.problem}`);
    this.#options.journal.commit(header as FromWorker & { type: 'state-end' });
    this.#feed({ kind: 'fetched', id, step: header.step });
  }

  #ready(id: string, step: number): void {
    const member = this.#core.members.get(id);
    if (!member?.receiving || member.ready || step !== member.step)
      return this.#drop(id, 'ready', 'no state of this step was sent');
    this.#publications.applied(id, step);
    this.#feed({ kind: 'ready', id, step });
    this.#noteMembers();
  }

  /**
   * Local workers end with this process: none of them can come back with its state. Where nobody is ready, those that were last are looked
   * for: nobody else has what they have.
   */
  #noteMembers(): void {
    const ready = [...this.#core.members.values()].filter((member) => member.ready);
    if (ready.length === 0) return;
    const ids = ready.map(({ id }) => id).filter((id) => this.#peers.get(id)?.local === undefined);
    this.#options.journal.members(ids);
  }

  #gradient(
    id: string,
    peer: Peer,
    header: FromWorker & { type: 'gradient' | 'sum' | 'examples' },
    frames: readonly Uint8Array[],
  ): void {
    const { step, level, index } = header;
    const round = this.#core.rounds.find((candidate) => candidate.step === step);
    const isDealt = peer.wasDealt(step, header);
    if (!round || step !== this.step || !isDealt) return this.#drop(id, header.type, 'not dealt to it');
    const begin = index << level;
    const end = (index + 1) << level;
    if (!round.owner.slice(begin, end).every((owner) => owner === id))
      return this.#drop(id, header.type, 'not dealt to it');
    if (round.covered.slice(begin, end).some(Boolean)) return this.#drop(id, header.type, 'there already');
    this.#stepClock.arrive(this.#now());
    const gathered = gather(peer, header, frames);
    if (typeof gathered === 'string') {
      this.#drop(id, header.type, gathered);
      return this.#punish(id, `sent ${gathered}`);
    }
    if (gathered && 'nonfinite' in gathered)
      return this.#nonfinite(id, { step, slice: begin, tensor: gathered.nonfinite });
    if (gathered) {
      const since = Math.max(this.#stepClock.startedAt, round.dealtAt[begin]!);
      peer.delivered(end - begin, since, this.#now());
      peer.gathered(header);
      this.#gathered(id, step, begin, end, gathered);
    } else this.#feed({ kind: 'alive', id });
  }

  #nonfinite(id: string, { step, slice, tensor }: { step: number; slice: number; tensor: string }): void {
    const round = this.#core.rounds.find((candidate) => candidate.step === step);
    if (round?.owner[slice] !== id) return this.#drop(id, 'nonfinite', 'not dealt to it');
    this.#options.emit({ event: 'nonfinite', step, slot: this.#slot(id), tensor });
    this.#feed({ kind: 'nonfinite', id, step, slice, tensor });
  }

  #gathered(id: string, step: number, begin: number, end: number, gathered: Gathered): void {
    this.#options.averager.add(step, gathered, this.#isHashed(step));
    this.#options.workTimes?.arrive(step, this.#slot(id), begin, end, this.#now());
    this.#feed({ kind: 'covered', id, step, begin, end });
  }

  #isHashed(step: number): boolean {
    return (step + 1) % this.#options.config.workers.hashEverySteps === 0;
  }

  #applied(id: string, step: number, hash: string | undefined): void {
    const member = this.#core.members.get(id);
    if (!member?.ready || step !== member.step + 1 || step > this.step)
      return this.#drop(id, 'applied', 'not the step after its own');
    this.#publications.applied(id, step);
    this.#feed({ kind: 'applied', id, step });
    if (hash !== undefined) this.#putOut(this.#hashes.claim(id, { step, hash }));
  }

  /** A replica whose state differs from the coordinator's comes back with a fresh copy. */
  #putOut(divergences: readonly Divergence[]): void {
    for (const { id, step, hash: found, expected } of divergences) {
      this.#options.emit({ event: 'divergence', step, slot: this.#slot(id), expected, found });
      this.#feed({ kind: 'leave', id, reason: `holds another state after step ${step}` });
    }
  }

  #result(id: string, step: number, task: number, frame: Uint8Array | undefined): void {
    const owned = this.#core.taskOwner.get(task);
    if (step !== this.step || owned?.id !== id) return this.#drop(id, 'result', 'not dealt to it');
    if (frame?.byteLength !== this.#options.products.resultBytes(owned.task)) {
      return this.#punish(id, 'sent a result of the wrong size');
    }
    this.#options.products.add(task, frame);
    this.#feed({ kind: 'result', id, task });
  }

  /** A member that takes nothing in would have the averages kept for it without end. */
  #putOutBehind(): void {
    const { least, most } = MAX_WAITING_STEPS;
    const fit = Math.floor(MAX_WAITING_BYTES / (4 * this.#options.model.numParameters));
    const limit = Math.min(most, Math.max(least, fit));
    for (const id of this.#publications.behind(limit)) this.#punish(id, `is more than ${limit} steps behind`);
  }

  #drop(id: string, message: string, reason: string): void {
    this.#guard.dropped(this.#slot(id), message, reason);
  }

  /** The member's slot, or -1 of a stranger. */
  #slot(id: string): number {
    return this.#core.members.get(id)?.slot ?? -1;
  }

  #feed(event: CoreEvent): void {
    this.#carryOut(decide(this.#core, event, this.#now()));
  }

  #carryOut(actions: readonly CoreAction[]): void {
    const { emit, term, sharder, products, workTimes } = this.#options;
    for (const action of actions) {
      switch (action.kind) {
        case 'fetch-state':
          this.#transfer.fetch(action.id);
          break;
        case 'recovered':
          emit({ event: 'recovered', step: action.step, lost: action.lost });
          break;
        case 'send-state':
          this.#sendState(action.id);
          break;
        case 'deal': {
          const { id, step, begin, end } = action;
          if (this.#waiting) this.#stepClock.begin(this.#now());
          this.#waiting = false;
          this.#peers.get(id)!.dealt(step, begin, end);
          workTimes?.deal(step, this.#slot(id), begin, end, this.#now());
          this.#say(id, { type: 'deal', term, step, begin, end }, [sharder.examples(step, begin, end)]);
          break;
        }
        case 'redealt':
          emit({ event: 'redeal', step: action.step, slices: action.slices, reason: action.reason });
          break;
        case 'publish':
          this.#publish(action.to);
          break;
        case 'task': {
          const { task } = action;
          const frames = task.kind === 'evaluate' ? [products.examplesOf(task)] : [];
          this.#say(action.id, { type: 'task', term, step: this.step, task }, frames);
          break;
        }
        case 'tasks-done':
          this.#stepClock.begin(this.#now());
          this.#finishing = products.finish(action.step, this.#now()).then(
            (events) => events.forEach(emit),
            (error: Error) => this.#fail(`cannot write the samples: ${error.message}`),
          );
          break;
        case 'left':
          this.#forget(action.member.id, action.member.slot, action.reason);
          break;
        case 'waiting':
          this.#waiting = true;
          emit({ event: 'waiting', step: this.step, reason: action.reason });
          break;
        case 'finished':
          void this.#finishing.then(() => this.#finish({ exitCode: EXIT.done }));
          break;
        case 'failed':
          this.#finish({
            exitCode: action.tooFewWorkers ? EXIT.tooFewWorkers : EXIT.failure,
            reason: action.reason,
          });
          break;
      }
    }
  }

  #forget(id: string, slot: number, reason: string): void {
    const peer = this.#peers.get(id);
    this.#peers.delete(id);
    this.#hashes.forget(id);
    this.#guard.forget(id);
    for (const buffer of peer?.gathering.drain() ?? []) this.#options.averager.give(buffer);
    peer?.sums?.close();
    this.#publications.applied(id, Infinity);
    this.#say(id, { type: 'rejoin', reason });
    const members = this.#core.members.size;
    this.#options.emit({ event: 'leave', step: this.step, slot, pid: peer?.pid ?? 0, reason, members });
    this.#noteMembers();
  }

  #sendState(id: string): void {
    const incarnation = this.#core.members.get(id)?.incarnation;
    const isHere = () => this.#core.members.get(id)?.incarnation === incarnation;
    void this.#transfer.send(id, isHere, (step) => this.#feed({ kind: 'state-sent', id, step }));
  }

  /** Sends the average and the commit, and tells what the step was. */
  #publish(to: readonly string[]): void {
    const { averager, config, term, model, exchange, products, sharder, checkpoint, emit, workTimes } =
      this.#options;
    const averaged = this.#averaged!;
    const { step, buffer, place, checksums, statistics, crcs, chain, update, gradientNorm, seconds } =
      averaged;
    const seeing = place ? to.filter((id) => this.#peers.get(id)?.attached) : [];
    const others = to.filter((id) => !seeing.includes(id));
    this.#options.journal.commit({ step: step + 1, chain });
    const now = this.#now();
    for (const [nth, { offset, length, begin, bytes }] of exchange.buckets.entries()) {
      const frame = new Uint8Array(buffer, begin, bytes);
      for (const id of others)
        this.#say(id, { type: 'average', term, step, offset, length, crc: checksums[nth]! }, [frame]);
    }
    for (const id of seeing) this.#say(id, { type: 'average-placed', term, step, ...place! });
    const hash = this.#isHashed(step);
    const commit = { type: 'commit', term, step, update, crcs, chain, hash } as const;
    for (const id of to) {
      const counted = exchange.keepsResiduals ? [...this.#peers.get(id)!.counted] : undefined;
      this.#say(id, { ...commit, ...(counted && { counted }) }, statisticsFrames(statistics));
    }
    this.#transfer.committed();
    this.#publications.add(step, to, () => averager.release(averaged));
    for (const peer of this.#peers.values()) peer.committed(step);
    const { timeSteps, logLikelihoods } = statistics;
    const { bitsPerDim, loss } = summarize(timeSteps, logLikelihoods, model, config.model.ceWeight);
    emit({
      event: 'step',
      step: step + 1,
      bitsPerDim,
      loss,
      gradientNorm,
      clipFactor: update.clipFactor,
      learningRate: update.learningRate,
      epoch: sharder.epochAt(step + 1),
      ...this.#stepClock.read(seconds, now, this.#now()),
      members: this.#core.members.size,
      ...this.#traffic.take(),
      ...(workTimes && { work: workTimes.take(step, this.#stepClock.startedAt) }),
    });
    this.#stepClock.begin(now);
    const { everySteps } = config.checkpoints;
    if (everySteps > 0 && isDue(step + 1, everySteps, config.training.steps)) checkpoint();
    products.begin(now);
    this.#putOutBehind();
  }
}

function gather(
  { gathering, sums }: Peer,
  header: FromWorker & { type: 'gradient' | 'sum' | 'examples' },
  frames: readonly Uint8Array[],
) {
  switch (header.type) {
    case 'gradient':
      return gathering.bucket(header, frames[0]);
    case 'sum': {
      const buffer = sums?.buffers[header.place];
      return buffer ? gathering.sum(header, buffer) : 'a sum in a place that there is not';
    }
    case 'examples':
      return gathering.examples(header, frames);
  }
}
