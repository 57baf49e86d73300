import { hostname } from 'node:os';
import type { NotifyConfig } from '../shared/config/schema.js';
import { EXIT } from '../shared/errors.js';
import { byCommand, byWebhook, type Delivery } from './delivery.js';
import { duration } from './event-text.js';
import type { NoticeKind, Observer, RunEvent } from './events.js';

/** Notices that wait for those before them, at most. */
const MAX_PENDING = 20;
/** How long those that are on their way at the end of a run hold it up, at most. */
const CLOSE_MS = 15_000;

export interface NoticesOptions {
  readonly settings: NotifyConfig;
  /** Of the run. */
  readonly name: string;
  readonly folder: string;
  /** The best evaluation so far; undefined before the first. */
  readonly best: number | undefined;
  /** Undefined while the run does not wait. */
  readonly waitingSeconds: () => number | undefined;
  readonly emit: (event: RunEvent) => void;
}

/** Delivers notices one after another. */
class Outbox {
  readonly #deliver: Delivery;
  readonly #failed: (notice: NoticeKind, step: number, reason: string) => void;
  #numPending = 0;
  #delivered: Promise<void> = Promise.resolve();

  constructor(deliver: Delivery, failed: (notice: NoticeKind, step: number, reason: string) => void) {
    this.#deliver = deliver;
    this.#failed = failed;
  }

  put(notice: NoticeKind, step: number, body: string, signal: AbortSignal): void {
    const fail = (reason: string) => this.#failed(notice, step, reason);
    if (this.#numPending >= MAX_PENDING)
      return queueMicrotask(() => fail(`${MAX_PENDING} notices before it are on their way`));
    this.#numPending++;
    this.#delivered = this.#delivered
      .then(() => this.#deliver(body, signal))
      .catch((error: Error) => fail(error.message))
      .finally(() => this.#numPending--);
  }

  get delivered(): Promise<void> {
    return this.#delivered;
  }
}

/**
 * Tells a webhook and a command what somebody wants to know who looks elsewhere. Training never waits for it; a notice that could not be
 * delivered is an event.
 */
export class Notices {
  readonly #options: NoticesOptions;
  readonly #outboxes: readonly Outbox[];
  #best: number | undefined;
  /** The last that was said of why. */
  #waiting: (RunEvent & { event: 'waiting' }) | undefined;
  /** The next look at how long the run has waited. */
  #look: NodeJS.Timeout | undefined;
  #hasToldWaiting = false;
  readonly #closing = new AbortController();

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#best = options.best;
    const { webhook, command } = options.settings;
    const outbox = (by: 'webhook' | 'command', deliver: Delivery) =>
      new Outbox(deliver, (notice, step, reason) =>
        options.emit({ event: 'notice-failed', step, notice, by, reason }),
      );
    this.#outboxes = [
      ...(webhook === undefined ? [] : [outbox('webhook', byWebhook(webhook))]),
      ...(command === undefined ? [] : [outbox('command', byCommand(command))]),
    ];
  }

  readonly observe: Observer = (event, time) => {
    switch (event.event) {
      case 'waiting':
        this.#waiting = event;
        this.#look ??= this.#lookIn(this.#options.settings.waitingSeconds);
        break;
      case 'step':
        this.#hasToldWaiting = false;
        break;
      case 'evaluation': {
        const { step, bitsPerDim } = event;
        const before = this.#best;
        this.#best = Math.min(bitsPerDim, before ?? Infinity);
        if (before === undefined || bitsPerDim >= before) break;
        const text = `${bits(bitsPerDim)} at step ${step}, ${bits(before)} before`;
        this.#tell('best', text, time, { ...event, before });
        break;
      }
      case 'done': {
        const bound = this.#best === undefined ? '' : `, best test bound ${bits(this.#best)}`;
        const text = `done at step ${event.step} after ${duration(event.seconds)}${bound}`;
        this.#tell('done', text, time, event);
        break;
      }
      case 'failed':
        if (event.exitCode !== EXIT.interrupted)
          this.#tell('failed', `stopped at step ${event.step}: ${event.reason}`, time, event);
        break;
    }
  };

  /** Resolves once everything was told, or it takes too long. */
  async close(): Promise<void> {
    clearTimeout(this.#look);
    const limit = setTimeout(() => this.#closing.abort(), CLOSE_MS);
    await Promise.all(this.#outboxes.map(({ delivered }) => delivered));
    clearTimeout(limit);
  }

  /** Waiting is told when it has lasted: it may be over by then, and have begun anew. */
  #lookIn(seconds: number): NodeJS.Timeout {
    const look = () => {
      this.#look = undefined;
      const waited = this.#options.waitingSeconds();
      if (waited === undefined || this.#hasToldWaiting) return;
      const left = this.#options.settings.waitingSeconds - waited;
      if (left > 0) return void (this.#look = this.#lookIn(left));
      this.#hasToldWaiting = true;
      const event = this.#waiting!;
      const text = `waiting for ${duration(waited)} at step ${event.step}: ${event.reason}`;
      this.#tell('waiting', text, Date.now(), { ...event, seconds: waited });
    };
    return setTimeout(look, seconds * 1000).unref();
  }

  #tell(
    notice: NoticeKind,
    text: string,
    time: number,
    event: { readonly step: number; readonly [field: string]: unknown },
  ): void {
    const { settings, name, folder } = this.#options;
    if (!settings.on.includes(notice)) return;
    const host = hostname();
    const about = { name, host, folder, time: new Date(time).toISOString() };
    const body = JSON.stringify({ notice, text: `${name} on ${host}: ${text}`, ...about, ...event });
    for (const outbox of this.#outboxes) outbox.put(notice, event.step, `${body}\n`, this.#closing.signal);
  }
}

const bits = (bound: number) => `${bound.toFixed(4)} bits/dim`;
