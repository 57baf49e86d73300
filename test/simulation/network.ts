import type { Random } from '../../shared/random/philox.js';
import type { CoordinatorLink } from '../../worker/coordinator-link.js';
import type { LinkWatch, WorkerLink } from '../../coordinator/worker-link.js';
import { Connection, type Direction, type Line } from './connection.js';
import { headerOf, type Parts } from './parts.js';
import type { SimulatedProcess } from './process.js';
import type { Timeline } from './timeline.js';

/** Who watches, and may tamper with, what travels. */
export interface Tap {
  posted(process: SimulatedProcess, parts: Parts): void;
  /** What arrives in place of a message. */
  arriving(direction: Direction, line: Line, parts: Parts): Parts;
  /** The process takes up a message, the coordinator one of `id`; returns what it gets. */
  received(process: SimulatedProcess, id: string, parts: Parts): Parts;
  connected(line: Line): void;
}

/** ZeroMQ's intervals between attempts to connect, in milliseconds. */
const RECONNECT = { first: 200, most: 5000 };

/**
 * What ZeroMQ makes of TCP: per connection and direction messages come whole and in order. A connection that is cut loses what was on its
 * way; the worker's end connects anew and then sends what it still has, the coordinator's end drops what is for somebody who isn't there.
 */
export class Network {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly tap: Tap;
  coordinator: CoordinatorEnd | undefined;
  readonly #connections = new Map<string, Connection>();
  readonly #replays = new Map<string, { to: CoordinatorEnd | undefined; messages: readonly Parts[] }>();

  constructor(timeline: Timeline, random: Random, tap: Tap) {
    this.timeline = timeline;
    this.random = random;
    this.tap = tap;
  }

  get connections(): readonly Connection[] {
    return [...this.#connections.values()];
  }

  connectionOf(identity: string): Connection | undefined {
    return this.#connections.get(identity);
  }

  /** A connection whose identity another one has loses it, as with ZeroMQ's handover. */
  open(connection: Connection): void {
    this.#connections.get(connection.identity)?.cut();
    this.#connections.set(connection.identity, connection);
    const { to, messages = [] } = this.#replays.get(connection.identity) ?? {};
    this.#replays.delete(connection.identity);
    // A coordinator that never heard of a worker can't know that its hello is an old one: without keys that is a limit.
    const replayed = messages.filter((parts) => to === this.coordinator || headerOf(parts).type !== 'hello');
    const delay = 500 * this.random.uniform() ** 4;
    for (const parts of replayed) this.timeline.after(delay, () => connection.handOver('up', parts));
    this.tap.connected(connection.line);
  }

  /** Some time after the worker is connected again. */
  replay(identity: string, messages: readonly Parts[]): void {
    this.#replays.set(identity, { to: this.coordinator, messages });
  }

  closed(connection: Connection): void {
    if (this.#connections.get(connection.identity) === connection)
      this.#connections.delete(connection.identity);
  }
}

/** The coordinator's socket. */
export class CoordinatorEnd implements WorkerLink {
  readonly process: SimulatedProcess;
  readonly #network: Network;
  readonly #inbox: { id: string; parts: Parts }[] = [];
  #wake: () => void = () => undefined;
  #listening = false;
  #watch: LinkWatch | undefined;
  closed = false;

  constructor(network: Network, process: SimulatedProcess) {
    this.#network = network;
    this.process = process;
    process.onEnd.push(() => this.#hangUp());
  }

  /** Whether somebody can connect. */
  get answers(): boolean {
    return this.#listening && !this.closed && this.process.alive && !this.process.frozen;
  }

  listen(address: string, watch: LinkWatch): Promise<string> {
    this.#listening = true;
    this.#watch = watch;
    this.#network.coordinator = this;
    return Promise.resolve(address);
  }

  async *receive(): AsyncGenerator<{ id: string; parts: Parts }> {
    while (!this.closed) {
      const next = this.#inbox.shift();
      if (!next) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const { id } = next;
      yield { id, parts: this.#network.tap.received(this.process, id, next.parts) };
    }
  }

  accept(id: string, parts: Parts): void {
    this.#inbox.push({ id, parts });
    this.#wake();
  }

  post(id: string, parts: Uint8Array[]): void {
    if (!this.process.alive || this.closed) return;
    this.#network.tap.posted(this.process, parts);
    if (!this.process.alive) return;
    const connection = this.#network.connectionOf(id);
    if (connection) connection.send('down', parts);
    else this.process.after(0, () => this.#watch?.unreachable(id));
  }

  /** A connection of this socket ended. */
  hungUp(): void {
    if (!this.closed) this.process.arrive(() => this.#watch?.hungUp());
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  get connections(): number {
    return this.#network.connections.length;
  }

  close(): void {
    this.closed = true;
    this.#wake();
    for (const connection of this.#network.connections) connection.finish('down');
  }

  /** What the system had to send still, it may send. */
  #hangUp(): void {
    for (const connection of this.#network.connections) connection.finish('down', this.#network.random);
  }
}

/** A worker's socket. */
export class WorkerEnd implements CoordinatorLink {
  readonly process: SimulatedProcess;
  readonly identity: string;
  readonly #network: Network;
  readonly #line: Line;
  readonly #inbox: Parts[] = [];
  readonly #unsent: Parts[] = [];
  #waiting: { resolve: (parts: Parts) => void; reject: (error: Error) => void } | undefined;
  #connection: Connection | undefined;
  #interval = RECONNECT.first;
  closed = false;

  constructor(network: Network, process: SimulatedProcess, line: Line, identity: string) {
    this.#network = network;
    this.process = process;
    this.#line = line;
    this.identity = identity;
    process.onEnd.push(() => this.#connection?.finish('up', network.random));
    process.after(line.latency, () => this.#dial());
  }

  async receive(): Promise<Parts> {
    const parts = this.#inbox.shift() ?? (await this.#next());
    return this.#network.tap.received(this.process, this.identity, parts);
  }

  #next(): Promise<Parts> {
    return new Promise((resolve, reject) => {
      if (this.closed) reject(new Error('the socket is closed'));
      else this.#waiting = { resolve, reject };
    });
  }

  accept(parts: Parts): void {
    if (this.closed) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(parts);
    else this.#inbox.push(parts);
  }

  post(parts: Uint8Array[]): void {
    if (!this.process.alive || this.closed) return;
    this.#network.tap.posted(this.process, parts);
    if (!this.process.alive) return;
    if (this.#connection) this.#connection.send('up', parts);
    else this.#unsent.push(parts);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#inbox.length = 0;
    this.#waiting?.reject(new Error('the socket is closed'));
    this.#connection?.finish('up');
  }

  /** @param unsent what did not leave */
  lost(connection: Connection, unsent: readonly Parts[]): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#unsent.unshift(...unsent);
    this.#interval = RECONNECT.first;
    this.#redial();
  }

  #redial(): void {
    this.process.after(this.#interval, () => this.#dial(), 'timer');
    this.#interval = Math.min(2 * this.#interval, RECONNECT.most);
  }

  #dial(): void {
    if (this.closed || this.#connection) return;
    const { coordinator } = this.#network;
    if (!coordinator?.answers || this.#line.blocked.size > 0) return this.#redial();
    const connection = new Connection(this.#network, this.#line, this, coordinator);
    this.#connection = connection;
    this.#network.open(connection);
    for (const parts of this.#unsent.splice(0)) connection.send('up', parts);
  }
}
