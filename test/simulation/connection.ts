import type { Random } from '../../shared/random/philox.js';
import type { CoordinatorEnd, Network, WorkerEnd } from './network.js';
import { headerOf, type Parts } from './parts.js';

/** Up: from a worker to the coordinator. */
export type Direction = 'up' | 'down';

/** The way between the coordinator and a worker's machine. */
export interface Line {
  readonly name: string;
  /** Milliseconds. */
  latency: number;
  /** Bytes a millisecond. */
  speed: number;
  /** Nothing gets through: the connection stays, and what is sent comes later. */
  readonly blocked: Set<Direction>;
}

/** Messages that may be replayed. */
const REPLAYED = 10;

interface Travelling {
  readonly parts: Parts;
  readonly leavesAt: number;
  readonly arrivesAt: number;
}

/** A TCP connection. Frames are read at the last moment: whoever changes them before they have arrived is found out. */
export class Connection {
  readonly line: Line;
  readonly identity: string;
  readonly #network: Network;
  readonly #worker: WorkerEnd;
  readonly #coordinator: CoordinatorEnd;
  readonly #travelling: Record<Direction, Travelling[]> = { up: [], down: [] };
  readonly #last = { up: { leavesAt: 0, arrivesAt: 0 }, down: { leavesAt: 0, arrivesAt: 0 } };
  /** What arrived last of the worker comes again on its next connection: ZeroMQ would not do that, somebody in between may. */
  isReplayed = false;
  readonly #arrived: Parts[] = [];
  #open = true;
  /** One end is closed: once what it sent has arrived, so is the connection. */
  #finishing: Direction | undefined;

  constructor(network: Network, line: Line, worker: WorkerEnd, coordinator: CoordinatorEnd) {
    this.#network = network;
    this.line = line;
    this.identity = worker.identity;
    this.#worker = worker;
    this.#coordinator = coordinator;
  }

  send(direction: Direction, parts: Parts): void {
    if (!this.#open || this.#finishing) return;
    const { timeline, random } = this.#network;
    const { latency, speed } = this.line;
    const last = this.#last[direction];
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    const leavesAt = Math.max(timeline.now, last.leavesAt) + bytes / speed;
    const arrivesAt = Math.max(leavesAt + latency * (1 + random.uniform()), last.arrivesAt);
    this.#last[direction] = { leavesAt, arrivesAt };
    this.#travelling[direction].push({ parts, leavesAt, arrivesAt });
    timeline.after(arrivesAt - timeline.now, () => this.deliver(direction));
  }

  /** Hands over what is due, one by one. */
  deliver(direction: Direction): void {
    const travelling = this.#travelling[direction];
    const [next] = travelling;
    const { timeline, tap } = this.#network;
    if (this.#open && next && next.arrivesAt <= timeline.now && !this.line.blocked.has(direction)) {
      travelling.shift();
      this.handOver(direction, tap.arriving(direction, this.line, next.parts.map(copyOf)));
      if (travelling[0] && travelling[0].arrivesAt <= timeline.now)
        timeline.after(0, () => this.deliver(direction));
    }
    if (this.#finishing === direction && travelling.length === 0) this.cut();
  }

  /** What arrived last of the worker comes again. */
  replay(): void {
    for (const parts of this.#arrived) this.#network.timeline.after(0, () => this.handOver('up', parts));
  }

  /** As if it came now. */
  handOver(direction: Direction, parts: Parts): void {
    if (direction === 'down') this.#worker.process.arrive(() => this.#worker.accept(parts));
    else {
      if (isReplayable(parts) && this.#arrived.push(parts) > REPLAYED) this.#arrived.shift();
      this.#coordinator.process.arrive(() => this.#coordinator.accept(this.identity, parts));
    }
  }

  /**
   * The end that sends in this direction is closed.
   *
   * @param random where its process died: how much of what it had sent still leaves the machine
   */
  finish(direction: Direction, random?: Random): void {
    if (!this.#open || this.#finishing) return;
    this.#finishing = direction;
    const travelling = this.#travelling[direction];
    if (random) travelling.length = random.below(travelling.length + 1);
    this.#travelling[direction === 'up' ? 'down' : 'up'].length = 0;
    this.#network.timeline.after(this.line.latency, () => this.deliver(direction));
  }

  /** What is on its way is lost, but for what the worker's end had not sent yet. */
  cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#network.closed(this);
    this.#coordinator.hungUp();
    const { now } = this.#network.timeline;
    const unsent = this.#travelling.up.filter(({ leavesAt }) => leavesAt > now).map(({ parts }) => parts);
    this.#worker.lost(this, unsent);
    if (this.isReplayed) this.#network.replay(this.identity, this.#arrived);
  }
}

/** A slice that failed, said again, has failed twice: without keys that is a limit. */
const isReplayable = (parts: Parts) => headerOf(parts).type !== 'nonfinite';

/** Of memory that is shared, too. */
const copyOf = (bytes: Uint8Array): Uint8Array => Buffer.from(new Uint8Array(bytes));
