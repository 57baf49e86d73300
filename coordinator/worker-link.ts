import { Router } from 'zeromq';
import { Outbox } from '../shared/protocol/outbox.js';

/** The coordinator's end of the wire. A peer is known by the identity that its connection brought, latin1. */
export interface WorkerLink {
  /** Binds; resolves with the address that workers connect to. */
  listen(address: string): Promise<string>;
  /** Messages as they come, until the link is closed. */
  receive(): AsyncIterable<{ readonly id: string; readonly parts: readonly Uint8Array[] }>;
  /** Sends in order. Frames are not copied: see `Outbox`. */
  post(id: string, parts: Uint8Array[]): void;
  /** Resolves when all that was posted is with the socket. */
  flush(): Promise<void>;
  /** Open connections. */
  readonly connections: number;
  readonly closed: boolean;
  close(): void;
}

/** Over ZeroMQ. */
export class RouterLink implements WorkerLink {
  readonly #router = new Router({
    linger: 1000,
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
    handover: true,
  });
  readonly #outbox = new Outbox(this.#router, () => undefined);
  #connections = 0;

  constructor(maxMessageBytes: number) {
    this.#router.maxMessageSize = maxMessageBytes;
    this.#router.events.on('accept', () => this.#connections++);
    this.#router.events.on('disconnect', () => this.#connections--);
  }

  get connections(): number {
    return this.#connections;
  }

  get closed(): boolean {
    return this.#router.closed;
  }

  async listen(address: string): Promise<string> {
    await this.#router.bind(address);
    return this.#router.lastEndpoint!;
  }

  async *receive(): AsyncGenerator<{ id: string; parts: Uint8Array[] }> {
    for await (const [identity, ...parts] of this.#router) yield { id: identity!.toString('latin1'), parts };
  }

  post(id: string, parts: Uint8Array[]): void {
    this.#outbox.post([Buffer.from(id, 'latin1'), ...parts]);
  }

  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  close(): void {
    this.#router.close();
  }
}
