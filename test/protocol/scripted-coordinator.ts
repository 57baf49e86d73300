import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Averager } from '../../coordinator/averager.js';
import { Averaging, type FromAverager } from '../../coordinator/averaging.js';
import { Coordinator } from '../../coordinator/coordinator.js';
import type { RunEvent } from '../../coordinator/events.js';
import { Journal } from '../../coordinator/journal.js';
import { Products } from '../../coordinator/products.js';
import { Sharder } from '../../coordinator/sharder.js';
import type { LinkWatch, WorkerLink } from '../../coordinator/worker-link.js';
import { bucketBytes, bucketsOf, checksum } from '../../shared/exchange/buckets.js';
import { Exchange, exchangeOptions } from '../../shared/exchange/exchange.js';
import { subtreesOf } from '../../shared/exchange/tree.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { version } from '../../shared/package.js';
import { decode, encode } from '../../shared/protocol/codec.js';
import { PROTOCOL, toWorkerSchema, type FromWorker, type ToWorker } from '../../shared/protocol/messages.js';
import { config as simulated, dataset, digest, model } from '../simulation/setup.js';

export const TERM = 7;

/** A long run, in which nothing is evaluated. */
const config = {
  ...simulated,
  training: { ...simulated.training, steps: 2000 },
  evaluation: { ...simulated.evaluation, everySteps: 0 },
};

type Deal = ToWorker & { type: 'deal' };

/** A real coordinator whose peers are the test's words, and whose clock is the test's hand. */
export class ScriptedCoordinator {
  readonly events: RunEvent[] = [];
  readonly coordinator: Coordinator;
  now = 0;
  /** Buffers for sums that were asked for. */
  numBuffers = 0;
  /** What the averager was given. */
  readonly sums: unknown[] = [];
  readonly #said = new Map<string, ToWorker[]>();
  #hear: (message: { id: string; parts: readonly Uint8Array[] }) => void = () => undefined;
  #watch: LinkWatch | undefined;
  #tick: () => void = () => undefined;

  constructor() {
    const replica = new Replica(model.numParameters, model.numSteps);
    const { training } = config;
    const options = exchangeOptions(config, model);
    const data = {
      memory: replica.memory,
      model,
      training,
      exchange: options,
      step: 0,
      chain: 'first',
    };
    const averager = new Averager(data, (given) => {
      let post: (message: FromAverager) => void = () => undefined;
      const averaging = new Averaging(given, (message) => post(message));
      return {
        postMessage: (message) => {
          if (message.kind === 'sum') this.sums.push(message.node);
          queueMicrotask(() => averaging.take(message));
        },
        on: (event: string, listen: (message: never) => void) => {
          if (event === 'message') post = listen as (message: FromAverager) => void;
        },
        terminate: () => Promise.resolve(0),
      };
    });
    const take = averager.take.bind(averager);
    averager.take = () => {
      this.numBuffers++;
      return take();
    };
    const file = { read: () => '', append: () => undefined, replace: () => undefined };
    const past = {
      run: 'run',
      term: TERM,
      configHash: 'hash',
      commits: [{ step: 0, chain: 'first' }],
      members: [],
    };
    this.coordinator = new Coordinator({
      config,
      version,
      run: 'run',
      term: TERM,
      startStep: 0,
      shape: model.shape,
      numClasses: model.numClasses,
      model,
      modelDigest: digest,
      exchange: new Exchange(options),
      averager,
      sharder: new Sharder(config, dataset),
      products: new Products(config, dataset, model, 'nowhere'),
      link: this.#link(),
      clock: {
        now: () => this.now,
        every: (_, act) => {
          this.#tick = act;
          return () => undefined;
        },
        sleep: () => turn(),
        turn: () => turn(),
      },
      journal: new Journal(file, past, assert.fail),
      emit: (event) => this.events.push(event),
      checkpoint: () => undefined,
    });
  }

  async start(): Promise<this> {
    await this.coordinator.listen('tcp://scripted:1');
    this.coordinator.start();
    return this;
  }

  /** What was said to a peer, and is forgotten by reading it. */
  heard(id: string): ToWorker[] {
    const said = this.#said.get(id) ?? [];
    this.#said.set(id, []);
    return said;
  }

  /** Connections come and go. */
  get watch(): LinkWatch {
    return this.#watch!;
  }

  eventsOf<K extends RunEvent['event']>(kind: K): (RunEvent & { event: K })[] {
    return this.events.filter((event) => event.event === kind) as (RunEvent & { event: K })[];
  }

  /** A peer sends something; resolves when what follows from it is done. */
  async say(id: string, header: FromWorker, frames: readonly Uint8Array[] = []): Promise<void> {
    await this.sayRaw(id, encode(header, frames));
  }

  async sayRaw(id: string, parts: readonly Uint8Array[]): Promise<void> {
    this.#hear({ id, parts });
    await turn();
  }

  async hello(id: string, changes: Partial<FromWorker & { type: 'hello' }> = {}): Promise<void> {
    await this.say(id, {
      type: 'hello',
      protocol: PROTOCOL,
      version,
      pid: 1,
      attempt: 0,
      host: 'test',
      device: 'none',
      lanes: 1,
      repeatable: true,
      ...changes,
    });
  }

  /** A worker joins and takes the state; returns what it was dealt. */
  async join(id: string, attempt = 0): Promise<Deal[]> {
    await this.hello(id, { attempt });
    const said: ToWorker[] = [];
    for (let i = 0; i < 100 && !said.some(({ type }) => type === 'state-end'); i++) {
      await turn();
      said.push(...this.heard(id));
    }
    const end = said.find((header) => header.type === 'state-end');
    assert.ok(end, 'the state came');
    await this.say(id, { type: 'ready', term: TERM, step: end.step });
    return this.dealsTo(id);
  }

  dealsTo(id: string): Deal[] {
    return this.heard(id).filter((header): header is Deal => header.type === 'deal');
  }

  /** A worker sends the sums over what it was dealt, every value of them the same. */
  async compute(id: string, { step, begin, end }: Deal, value = 1e-3): Promise<void> {
    for (const node of subtreesOf(begin, end)) {
      await this.examples(id, step, node);
      await this.gradient(id, step, node, value);
    }
  }

  async examples(id: string, step: number, node: { level: number; index: number }): Promise<void> {
    const count = (config.training.batch / config.training.slices) << node.level;
    const frames = [new Uint8Array(4 * count), new Uint8Array(new Float64Array(count).fill(-1).buffer)];
    await this.say(id, { type: 'examples', term: TERM, step, ...node }, frames);
  }

  async gradient(
    id: string,
    step: number,
    node: { level: number; index: number },
    value: number,
  ): Promise<void> {
    const values = new Float32Array(model.numParameters).fill(value);
    for (const bucket of bucketsOf(values.length, config.workers.bucketBytes)) {
      const bytes = bucketBytes(values, bucket);
      await this.say(id, { type: 'gradient', term: TERM, step, ...node, ...bucket, crc: checksum(bytes) }, [
        bytes,
      ]);
    }
  }

  async tick(milliseconds: number): Promise<void> {
    this.now += milliseconds;
    this.#tick();
    await turn();
    await turn();
  }

  #link(): WorkerLink {
    const queue: { id: string; parts: readonly Uint8Array[] }[] = [];
    let wake: () => void = () => undefined;
    this.#hear = (message) => {
      queue.push(message);
      wake();
    };
    return {
      listen: (address, watch) => {
        this.#watch = watch;
        return Promise.resolve(address);
      },
      async *receive() {
        for (;;) {
          for (let next = queue.shift(); next; next = queue.shift()) yield next;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      },
      post: (id, parts) => {
        const said = this.#said.get(id) ?? [];
        said.push(decode(toWorkerSchema, parts).header);
        this.#said.set(id, said);
      },
      flush: () => Promise.resolve(),
      connections: 0,
      closed: false,
      close: () => undefined,
    };
  }
}
