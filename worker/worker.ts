import { hostname } from 'node:os';
import { ARRAYS } from '../shared/checkpoint/state.js';
import type { Clock } from '../shared/clock.js';
import { configSchema, type Config } from '../shared/config/schema.js';
import { EXIT, UserError } from '../shared/errors.js';
import { checksum } from '../shared/exchange/buckets.js';
import { Exchange, exchangeOptions } from '../shared/exchange/exchange.js';
import { partsOf, StateGathering } from '../shared/exchange/state-copy.js';
import { gradientBytes, readStamped } from '../shared/exchange/gradient-buffer.js';
import type { SharedMemory } from '../shared/exchange/shared-memory.js';
import { readStatistics, statisticsFrames } from '../shared/exchange/statistics.js';
import { bytesPerVariable } from '../shared/method/classes.js';
import type { TreeNode } from '../shared/exchange/tree.js';
import { describeModel, modelDigest } from '../shared/model/description.js';
import { Replica } from '../shared/optimizer/replica.js';
import { version } from '../shared/package.js';
import { decode, encode, messageBytes, ProtocolError } from '../shared/protocol/codec.js';
import {
  MAX_LINKS,
  PROTOCOL,
  toWorkerSchema,
  type FromWorker,
  type GpuUse,
  type ToWorker,
} from '../shared/protocol/messages.js';
import type { StopSignals } from '../shared/stop-signals.js';
import type { CoordinatorLink, Refused } from './coordinator-link.js';
import type { Lanes } from './lanes.js';
import type { WorkerObserver } from './metrics.js';
import { dealProblem, taskProblem } from './offers.js';
import { Residuals } from './residuals.js';
import { computeDeal, type Deal, type SubtreeSum } from './slices.js';

export interface WorkerOptions {
  readonly coordinator: string;
  /** Stays the same, so that a coordinator that comes back knows whom it may expect. */
  readonly identity: string;
  /** Throws UserError where the address is none. */
  readonly connect: (coordinator: string, identity: string, refused: Refused) => CoordinatorLink;
  readonly clock: Clock;
  readonly lanes: Pick<Lanes, 'device' | 'count' | 'load' | 'clear' | 'run'>;
  readonly local: number | undefined;
  /** What it may share with a coordinator of its machine; undefined: nothing. */
  readonly memory: SharedMemory | undefined;
  /** Gives up when no coordinator was heard for so long. */
  readonly connectTimeoutSeconds: number;
  readonly say: (line: string) => void;
  /** Hears of every time that the coordinator took it in. */
  readonly joined?: (slot: number) => void;
  readonly stopping: Pick<StopSignals, 'onStop' | 'name' | 'exitCode'>;
  /** How the GPU is doing, where that is known. */
  readonly gpu?: () => GpuUse | undefined;
  readonly observer?: WorkerObserver | undefined;
}

/** What the worker holds of the run it belongs to. */
interface Session {
  readonly run: string;
  /** Digest of the model: whoever agrees on it can go on in the same memory. */
  readonly model: string;
  readonly term: number;
  readonly config: Config;
  readonly sliceSize: number;
  readonly slices: number;
  readonly exampleBytes: number;
  readonly replica: Replica;
  readonly exchange: Exchange;
  /** Where the exchange keeps them. */
  readonly residuals: Residuals | undefined;
  step: number;
  /** The state that comes, until it is whole: meanwhile the replica may hold the only copy of a newer one than any disk. */
  arriving: StateGathering | undefined;
  loaded: boolean;
  /** The last commits that the replica took, the state that it was loaded with before them. */
  links: { step: number; chain: string }[];
  /** While the replica is between two steps it proves nothing. */
  applying: boolean;
  /** What came of later steps while the state was on its way. */
  early: { header: ToWorker; frames: readonly Uint8Array[] }[];
  earlyBytes: number;
  deals: Deal[];
  averaged: number;
  readonly shared: Shared | undefined;
  /** Aborted when the slices of this step, or the whole session, are given up. */
  computing: AbortController;
  /** Sums that were sent: ours again once their step is committed. */
  sent: { step: number; buffer: SharedArrayBuffer }[];
}

/** Memory that the coordinator made: where sums are left for it, by their places, and where averages are seen. */
interface Shared {
  readonly places: ReadonlyMap<SharedArrayBuffer, number>;
  readonly averages: readonly SharedArrayBuffer[];
}

/** A state from before: what a coordinator that lost its own can ask for. */
type Held = Pick<Session, 'run' | 'model' | 'replica' | 'links'>;

/** Averages that may come before the state is whole: more than a coordinator keeps for anyone. */
const MAX_EARLY = { bytes: 2 ** 31, averages: 16 };
/** How long a worker that was stopped waits for the coordinator to hear of it: what a process leaves unsent ends with it. */
const FAREWELL_MS = 1000;
/** Says hello again after so long without an answer. */
const HELLO_MS = 2000;
/** How often it looks whether something is due: the shortest heartbeat. */
const TICK_MS = 100;

/**
 * One worker process: joins a coordinator, holds a replica, computes the slices and tasks it is dealt, and joins again
 * whenever it was put out or the coordinator went away. `run` resolves with the exit code.
 */
export class WorkerClient {
  readonly #options: WorkerOptions;
  #link: CoordinatorLink;
  #session: Session | undefined;
  #held: Held | undefined;
  #heardAt: number;
  /** Set once it is told to stop. */
  #leaving: { exitCode: number } | undefined;
  /** Why connections came to nothing. */
  #refusal: string | undefined;
  /** While it takes in a message it can't tell whether the coordinator is silent. */
  #isHearing = false;
  #saidHelloAt = -Infinity;
  #saidAliveAt = -Infinity;
  /** Sessions lost so far. */
  #attempt = 0;
  #yieldedAt = 0;
  #free: SharedArrayBuffer[] = [];
  #outcome: { exitCode: number } | { error: Error } | undefined;

  /** Throws UserError where the coordinator's address is none. */
  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#link = this.#connect();
  }

  #connect(): CoordinatorLink {
    const { connect, coordinator, identity, say } = this.#options;
    return connect(coordinator, identity, (reason, isFinal) => {
      this.#refusal = reason;
      if (isFinal) this.#end({ error: new UserError(`refused: ${reason}`) });
      else say(reason);
    });
  }

  async run(): Promise<number> {
    const { stopping, say, connectTimeoutSeconds, coordinator, clock } = this.#options;
    const stopTicking = clock.every(TICK_MS, () => this.#tick());
    const leave = () => {
      const { exitCode, name } = stopping;
      this.#leaving = { exitCode };
      if (!this.#session) return this.#end(this.#leaving);
      this.#send({ type: 'leave', reason: `stopped by ${name}` });
      this.#leaveSession();
      void clock.sleep(FAREWELL_MS).then(() => this.#end(this.#leaving!));
    };
    stopping.onStop(leave);
    try {
      say(`looking for a coordinator at ${coordinator} (gives up after ${connectTimeoutSeconds} s)`);
      while (!this.#outcome) {
        await this.#receive();
        // Messages that are there already come without a turn of the event loop, in which this worker says that it lives.
        if (clock.now() - this.#yieldedAt < TICK_MS) continue;
        await clock.turn();
        this.#yieldedAt = clock.now();
      }
    } finally {
      stopTicking();
      this.#leaveSession();
      this.#link.close();
    }
    if ('error' in this.#outcome) throw this.#outcome.error;
    return this.#outcome.exitCode;
  }

  /** Ends `run`: closing the socket wakes its receive. */
  #end(outcome: { exitCode: number } | { error: Error }): void {
    this.#outcome ??= outcome;
    this.#link.close();
  }

  async #receive(): Promise<void> {
    const link = this.#link;
    try {
      const parts = await link.receive();
      this.#heardAt = this.#options.clock.now();
      const { header, frames } = decode(toWorkerSchema, parts);
      this.#options.observer?.message('in', header.type, parts);
      this.#isHearing = true;
      await this.#hear(header, frames);
      this.#heardAt = this.#options.clock.now();
    } catch (error) {
      if (link.closed || this.#outcome) return;
      if (error instanceof ProtocolError) this.#rejoin(`the coordinator sent ${error.message}`);
      else this.#end({ error: error as Error });
    } finally {
      this.#isHearing = false;
    }
  }

  #tick(): void {
    const { connectTimeoutSeconds, coordinator, say, clock } = this.#options;
    if (this.#leaving) return;
    const now = clock.now();
    const silence = this.#isHearing ? 0 : (now - this.#heardAt) / 1000;
    if (silence > connectTimeoutSeconds) {
      const reason = `no coordinator answered at ${coordinator} for ${connectTimeoutSeconds} s`;
      return this.#end({
        error: new UserError(
          `${reason}: ${this.#refusal ?? 'start one with ardm-coord, or name its address with --coordinator'}`,
        ),
      });
    }
    if (!this.#session) {
      if (now - this.#saidHelloAt > HELLO_MS) this.#hello();
      return;
    }
    const { heartbeatSeconds, heartbeatTimeoutSeconds } = this.#session.config.workers;
    if (silence > heartbeatTimeoutSeconds * 2) {
      say(`the coordinator is silent for ${silence.toFixed(0)} s: connecting anew`);
      this.#leaveSession();
      this.#link.close();
      this.#link = this.#connect();
      return;
    }
    if (now - this.#saidAliveAt < heartbeatSeconds * 1000) return;
    this.#saidAliveAt = now;
    this.#send({
      type: 'alive',
      doing: this.#session.loaded ? `step ${this.#session.step}` : 'loading the state',
      gpu: this.#options.gpu?.(),
    });
  }

  #hello(): void {
    const { lanes, local, memory } = this.#options;
    this.#saidHelloAt = this.#options.clock.now();
    this.#send({
      type: 'hello',
      protocol: PROTOCOL,
      version,
      pid: process.pid,
      attempt: this.#attempt,
      host: hostname(),
      machine: memory?.machine,
      device: lanes.device.description,
      lanes: lanes.count,
      repeatable: lanes.device.repeatable,
      local,
      replica: this.#held && { run: this.#held.run, links: this.#held.links },
    });
  }

  #send(header: FromWorker, frames: readonly Uint8Array[] = []): void {
    const parts = encode(header, frames);
    this.#options.observer?.message('out', header.type, parts);
    this.#link.post(parts);
  }

  /** Drops what belongs to the session; the next tick says hello again. */
  #rejoin(reason: string): void {
    this.#options.say(`joining again: ${reason}`);
    this.#leaveSession();
  }

  #leaveSession(): void {
    const session = this.#session;
    this.#session = undefined;
    this.#free = [];
    if (!session) return;
    session.computing.abort();
    this.#attempt++;
    const { run, model, replica, links, loaded, applying } = session;
    if (loaded) this.#held = applying ? undefined : { run, model, replica, links };
  }

  async #hear(header: ToWorker, frames: readonly Uint8Array[]): Promise<void> {
    const session = this.#session;
    switch (header.type) {
      case 'alive':
        return;
      case 'stop':
        this.#options.say(`told to stop: ${header.reason}`);
        return this.#end({ exitCode: EXIT.done });
      case 'refuse':
        return this.#end({ error: new UserError(`refused by the coordinator: ${header.reason}`) });
      case 'rejoin':
        if (this.#leaving) return this.#end(this.#leaving);
        return session && this.#rejoin(header.reason);
      case 'welcome':
        return this.#begin(header);
    }
    if (!session || header.term !== session.term) return;
    switch (header.type) {
      case 'fetch-state':
        return this.#giveState(session);
      case 'state':
        return this.#arrive(session, header, frames[0]);
      case 'state-end':
        return this.#loaded(session, header);
    }
    if (!session.loaded) return this.#hearEarly(session, header, frames);
    switch (header.type) {
      case 'deal': {
        const problem = dealProblem(header, frames[0], session);
        if (problem !== undefined) return this.#rejoin(`the coordinator dealt ${problem}`);
        // It deals a step ahead, and no slice twice before the step is done, but where it was given back.
        if (header.step > session.step + 1 || session.deals.length > 2 * session.slices)
          return this.#rejoin('the coordinator dealt more than there is');
        session.deals.push({ ...header, examples: new Uint8Array(frames[0] ?? []) });
        return this.#compute(session);
      }
      case 'average':
        if (header.step !== session.step) return;
        session.averaged += header.length;
        return this.#average(session, header, frames[0]);
      case 'average-placed':
        if (header.step !== session.step) return;
        return this.#averagePlaced(session, header);
      case 'commit':
        return this.#commit(session, header, frames);
      case 'task': {
        const problem = taskProblem(header, frames[0], session);
        if (problem !== undefined) return this.#rejoin(`the coordinator sent a task with ${problem}`);
        return void this.#perform(session, header, frames[0]);
      }
    }
  }

  /** Keeps what belongs to later steps until the state is whole. */
  #hearEarly(session: Session, header: ToWorker, frames: readonly Uint8Array[]): void {
    session.earlyBytes += 1024 + messageBytes(frames);
    const averageBytes = 4 * session.replica.parameters.length;
    if (session.earlyBytes > Math.max(MAX_EARLY.bytes, MAX_EARLY.averages * averageBytes))
      return this.#rejoin('more came than this worker can keep until it has the state');
    session.early.push({ header, frames });
  }

  async #perform(
    session: Session,
    { term, step, task }: ToWorker & { type: 'task' },
    frame: Uint8Array | undefined,
  ) {
    try {
      const result = await this.#options.lanes.run('task', {
        task,
        examples: frame && new Uint8Array(frame),
      });
      if (this.#session === session) this.#send({ type: 'result', term, step, task: task.task }, [result]);
    } catch (error) {
      this.#end({ error: error as Error });
    }
  }

  /** Takes part in a run: builds the model that its config describes, and waits for the state. */
  async #begin(welcome: ToWorker & { type: 'welcome' }): Promise<void> {
    const { lanes, say, joined } = this.#options;
    this.#leaveSession();
    lanes.clear();
    const config = configOf(welcome);
    const { run, shape, numClasses, numTestExamples, term, slot } = welcome;
    const model = describeModel(config.model, { shape, numClasses, numContext: config.data.context });
    if (modelDigest(model) !== welcome.model) {
      throw new UserError(
        'this worker builds another model from the same config than the coordinator: install the same build of ardm on both',
      );
    }
    const exchange = new Exchange(exchangeOptions(config, model));
    if (exchange.format !== welcome.codec) {
      throw new UserError(
        `this worker writes gradients as ${exchange.format}, the coordinator as ${welcome.codec}: install the same build of ardm on both`,
      );
    }
    if (this.#held?.run !== run || this.#held.model !== welcome.model) this.#held = undefined;
    const replica = this.#held?.replica ?? new Replica(model.numParameters, model.numSteps);
    const shared = this.#attach(welcome, model.numParameters);
    this.#session = {
      run,
      model: welcome.model,
      term,
      config,
      sliceSize: config.training.batch / config.training.slices,
      slices: config.training.slices,
      exampleBytes: shape[0] * shape[1] * shape[2] * bytesPerVariable(numClasses),
      replica,
      exchange,
      residuals: exchange.keepsResiduals ? new Residuals(model.numParameters) : undefined,
      step: 0,
      arriving: undefined,
      loaded: false,
      links: [],
      applying: false,
      early: [],
      earlyBytes: 0,
      deals: [],
      averaged: 0,
      shared,
      computing: new AbortController(),
      sent: [],
    };
    this.#free = [...(shared?.places.keys() ?? [])];
    if (shared) this.#send({ type: 'attached', term });
    // A lane may have a slice of before to finish first: meanwhile this worker says that it lives.
    await lanes.load({ config, shape, numClasses, numTestExamples, memory: replica.memory });
    joined?.(slot);
    say(`joined ${config.name} as slot ${slot} with ${lanes.device.description}, ${lanes.count} lane(s)`);
  }

  /** Opens the memory that the coordinator offers. What can't be opened is not needed: gradients travel then. */
  #attach({ memory }: ToWorker & { type: 'welcome' }, numParameters: number): Shared | undefined {
    if (!memory) return undefined;
    const open = ({ path, count }: { path: string; count: number }, writable: boolean) =>
      this.#options.memory!.open(path, { count, bytes: gradientBytes(numParameters), writable });
    try {
      const sums = open(memory.sums, true);
      const averages = open(memory.averages, false);
      return { places: new Map(sums.map((buffer, place) => [buffer, place])), averages };
    } catch (error) {
      this.#options.say(`shares no memory with the coordinator: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Writes a bucket where it belongs, or joins again when it is damaged. */
  #average(
    { exchange, replica }: Session,
    header: ToWorker & { type: 'average' },
    bytes: Uint8Array | undefined,
  ): void {
    const bucket = exchange.bucketAt(header);
    if (!bucket || !bytes || checksum(bytes) !== header.crc) return this.#rejoin('a damaged bucket');
    const problem = exchange.decode(bucket, bytes, replica.gradient);
    if (problem !== undefined) this.#rejoin(`a damaged bucket: ${problem}`);
  }

  /** A worker that was put out, and hasn't heard of it yet, may come too late. */
  #averagePlaced(session: Session, { step, place, stamp }: ToWorker & { type: 'average-placed' }): void {
    const { gradient } = session.replica;
    const buffer = session.shared?.averages[place];
    if (!buffer || !readStamped(buffer, gradient, stamp))
      return this.#rejoin(`the average of step ${step} is there no more`);
    session.averaged = gradient.length;
  }

  /** Gives a coordinator that lost it the state from before. */
  async #giveState({ term, config }: Session): Promise<void> {
    const held = this.#held;
    const last = held?.links.at(-1);
    if (!held || !last) return this.#rejoin('there is no state to give back');
    for (const { bytes, ...part } of partsOf(held.replica, config.workers.bucketBytes)) {
      this.#send({ type: 'state', term, step: last.step, ...part }, [bytes]);
      await this.#options.clock.turn();
    }
    this.#send({ type: 'state-end', term, ...last });
    this.#options.say(`gave the state of step ${last.step} to the coordinator`);
  }

  #arrive(session: Session, part: ToWorker & { type: 'state' }, bytes: Uint8Array | undefined): void {
    if (session.loaded) return this.#rejoin('the coordinator sent a state that is there already');
    const { parameters, components } = session.replica;
    const sizes = { numParameters: parameters.length, numSteps: components.length };
    session.arriving ??= new StateGathering(sizes, session.config.workers.bucketBytes);
    const problem = session.arriving.put(part, bytes);
    if (problem !== undefined) this.#rejoin(problem);
  }

  async #loaded(session: Session, { step, chain }: ToWorker & { type: 'state-end' }): Promise<void> {
    const { arriving, replica } = session;
    if (!arriving || arriving.problem !== undefined) return this.#rejoin('the state came incomplete');
    for (const array of ARRAYS) replica[array].set(arriving.state[array]);
    session.arriving = undefined;
    session.step = step;
    session.links = [{ step, chain }];
    session.loaded = true;
    this.#send({ type: 'ready', term: session.term, step });
    this.#options.say(`holds the state of step ${step}`);
    for (const { header, frames } of session.early.splice(0)) await this.#hear(header, frames);
  }

  /** Starts what was dealt of the current step. */
  #compute(session: Session): void {
    const { lanes } = this.#options;
    if (!session.loaded) return;
    session.deals = session.deals.filter(({ step }) => step >= session.step);
    const now = session.deals.filter(({ step }) => step === session.step);
    session.deals = session.deals.filter(({ step }) => step !== session.step);
    const { signal } = session.computing;
    for (const deal of now) {
      computeDeal(deal, session.sliceSize, lanes, signal, {
        take: () =>
          this.#free.pop() ?? new SharedArrayBuffer(gradientBytes(session.replica.parameters.length)),
        give: (buffer) => void (this.#session === session && this.#free.push(buffer)),
        done: (sum) => void this.#deliver(session, deal.step, sum),
        computed: (seconds) => this.#options.observer?.slice(seconds),
        nonfinite: (slice, tensor) => this.#giveUp(session, deal.step, slice, tensor),
      }).catch((error: Error) => this.#end({ error }));
    }
  }

  #giveUp(session: Session, step: number, slice: number, tensor: string): void {
    session.computing.abort();
    session.computing = new AbortController();
    this.#send({ type: 'nonfinite', term: session.term, step, slice, tensor });
  }

  /** Sends a subtree's sum: as it is, or once a lane has encoded it. */
  async #deliver(session: Session, step: number, { node, buffer, ...statistics }: SubtreeSum): Promise<void> {
    const { term, exchange, residuals } = session;
    if (!exchange.isLossless) {
      const lacking = residuals?.take(node);
      const request = { step, node, sum: buffer, residuals: lacking };
      const encoded = await this.#options.lanes.run('encode', request, true);
      if (this.#session !== session) return;
      if (step !== session.step) return void this.#free.push(buffer);
      if ('nonfinite' in encoded) {
        this.#free.push(buffer);
        return this.#giveUp(session, step, node.index << node.level, encoded.nonfinite);
      }
      if (lacking) residuals!.sent(node, lacking.next);
    }
    this.#send({ type: 'examples', term, step, ...node }, statisticsFrames(statistics));
    const place = session.shared?.places.get(buffer);
    if (place !== undefined) this.#send({ type: 'sum', term, step, ...node, place });
    else this.#sendBuckets(session, step, node, buffer);
    session.sent.push({ step, buffer });
  }

  #sendBuckets({ term, exchange }: Session, step: number, node: TreeNode, buffer: SharedArrayBuffer): void {
    for (const { offset, length, begin, bytes } of exchange.buckets) {
      const frame = new Uint8Array(buffer, begin, bytes);
      const crc = checksum(frame);
      this.#send({ type: 'gradient', term, step, ...node, offset, length, crc }, [frame]);
    }
  }

  async #commit(
    session: Session,
    { step, update, crcs, chain, hash: wanted, counted }: ToWorker & { type: 'commit' },
    frames: readonly Uint8Array[],
  ): Promise<void> {
    if (step !== session.step || update.step !== step) return;
    if (session.averaged !== session.replica.gradient.length) {
      return this.#rejoin(`the average of step ${step} came incomplete`);
    }
    const statistics = readStatistics(frames, session.config.training.batch);
    if (!statistics || !crcs.every((crc, nth) => checksum(frames[nth]!) === crc)) {
      return this.#rejoin(`the statistics of step ${step} came damaged`);
    }
    const { lanes, clock, observer } = this.#options;
    const begun = clock.now();
    session.applying = true;
    const hash = await lanes.run('apply', { update, statistics, hash: wanted }, true);
    session.applying = false;
    observer?.applied(step + 1, (clock.now() - begun) / 1000);
    session.links = [...session.links, { step: step + 1, chain }].slice(-MAX_LINKS);
    for (const { buffer } of session.sent) this.#free.push(buffer);
    session.residuals?.commit(counted ?? []);
    Object.assign(session, { step: step + 1, averaged: 0, sent: [] });
    this.#send({ type: 'applied', term: session.term, step: step + 1, hash });
    this.#compute(session);
  }
}

function configOf({ config }: ToWorker & { type: 'welcome' }): Config {
  const { data, error } = configSchema.safeParse(config);
  if (error) {
    const [issue] = error.issues;
    throw new UserError(
      `the coordinator's config is none that this worker knows (${issue!.path.join('.')}: ${issue!.message}): install the same build of ardm on both`,
    );
  }
  return data;
}
