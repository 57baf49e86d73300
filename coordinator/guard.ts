import type { Clock } from '../shared/clock.js';
import { Conduct } from './conduct.js';
import type { RunEvent } from './events.js';
import { Limiter } from './limiter.js';

export interface GuardOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Committed steps. */
  readonly step: () => number;
  readonly emit: (event: RunEvent) => void;
}

/** Bounds what peers can cause: messages, copies of the state, answers, events. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #conduct = new Conduct();
  /** Messages of a member that are no part of a result. */
  readonly #chatter = new Limiter(20_000, 1);
  /** Each takes a copy of the state. */
  readonly #joins = new Limiter(10, 5000);
  /** What strangers are answered. */
  readonly #answers = new Limiter(10, 1000);
  /** Events of a kind. */
  readonly #drops = new Limiter(50, 1000);
  readonly #refusals = new Limiter(1, 60_000);
  #numRefused = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Connections that were not let in. */
  get numRefused(): number {
    return this.#numRefused;
  }

  /** Whoever this is sent what no worker sends. */
  fault(id: string): void {
    this.#conduct.fault(id, this.#now());
  }

  /** Why it may not join now; undefined: it may. */
  joinProblem(id: string): string | undefined {
    if (this.#joins.pass(id, this.#now()) === undefined) return 'joins too often';
    if (this.#conduct.isOut(id, this.#now())) return 'put out for what it sent, for a while';
    return undefined;
  }

  mayChat(id: string): boolean {
    return this.#chatter.pass(id, this.#now()) !== undefined;
  }

  mayBeAnswered(id: string): boolean {
    return this.#answers.pass(id, this.#now()) !== undefined;
  }

  /** It is no member any more. */
  forget(id: string): void {
    this.#chatter.forget(id);
  }

  /** Tells that a connection was not let in. */
  refused(reason: string): void {
    this.#numRefused++;
    const more = this.#refusals.pass('', this.#now());
    const { emit, step } = this.#options;
    if (more !== undefined) emit({ event: 'refused', step: step(), reason, more });
  }

  /** Tells that a message was not taken. */
  dropped(slot: number, message: string, reason: string): void {
    const more = this.#drops.pass(message, this.#now());
    if (more === undefined) return;
    const { emit, step } = this.#options;
    emit({ event: 'dropped', step: step(), slot, message, reason, ...(more > 0 && { more }) });
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
