import { Context, Router } from 'zeromq';
import { coordinatorCurve, type CoordinatorKeys } from '../shared/keys/keys.js';
import { Outbox } from '../shared/protocol/outbox.js';
import { Admission, ZAP_DOMAIN } from './admission.js';

/** What a link tells beside messages. */
export interface LinkWatch {
  /** A connection ended. Whose is not known: whoever can't be reached from now on. */
  hungUp(): void;
  /** What was posted to this peer went nowhere: it has no connection. */
  unreachable(id: string): void;
  /** Someone was not let in, or was no peer. */
  refused(reason: string): void;
}

/** The coordinator's end of the wire. A peer is known by the identity that its connection brought, latin1. */
export interface WorkerLink {
  /** Binds; resolves with the address that workers connect to. */
  listen(address: string, watch: LinkWatch): Promise<string>;
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

/** Open connections at most, those in the handshake among them. */
const MAX_CONNECTIONS = 8192;
/** Messages of one peer that wait to be heard; beyond, its connection is read no further until they are. */
const MAX_WAITING = 128;
/** A connection that is no peer after so long is cut. */
const HANDSHAKE_MS = 10_000;

/** Over ZeroMQ; with keys, over CURVE. */
export class RouterLink implements WorkerLink {
  // Its own: each context has one place where ZeroMQ asks who may come in.
  readonly #context = new Context();
  readonly #router: Router;
  readonly #admission: Admission;
  readonly #outbox = new Outbox({ send: (parts) => this.#send(parts) }, () => undefined);
  #watch: LinkWatch | undefined;
  #connections = 0;

  /** @param keys undefined: anyone who reaches the address may join */
  constructor(maxMessageBytes: number, keys?: CoordinatorKeys) {
    this.#router = new Router({
      context: this.#context,
      linger: 1000,
      sendHighWaterMark: 0,
      receiveHighWaterMark: MAX_WAITING,
      handover: true,
      mandatory: true,
      // With nobody connected a mandatory socket is never writable: what is posted would wait for someone to come.
      sendTimeout: 0,
      handshakeInterval: HANDSHAKE_MS,
      zapDomain: ZAP_DOMAIN,
      ...(keys && coordinatorCurve(keys)),
    });
    this.#router.zapEnforceDomain = true;
    this.#admission = new Admission(this.#context, {
      keys,
      isFull: () => this.#connections > MAX_CONNECTIONS,
      refused: (reason) => this.#watch?.refused(reason),
    });
    this.#router.maxMessageSize = maxMessageBytes;
    for (const kind of ['protocol', 'other'] as const) {
      this.#router.events.on(`handshake:error:${kind}`, ({ error }) =>
        this.#watch?.refused(`a connection ended in the handshake: ${error.message}`),
      );
    }
    this.#router.events.on('accept', () => this.#connections++);
    this.#router.events.on('disconnect', () => {
      this.#connections--;
      this.#watch?.hungUp();
    });
  }

  get connections(): number {
    return this.#connections;
  }

  get closed(): boolean {
    return this.#router.closed;
  }

  async listen(address: string, watch: LinkWatch): Promise<string> {
    await this.#admission.open();
    await this.#router.bind(address);
    this.#watch = watch;
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
    this.#admission.close();
  }

  async #send(parts: Uint8Array[]): Promise<void> {
    try {
      await this.#router.send(parts);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EHOSTUNREACH') throw error;
      this.#watch?.unreachable(Buffer.from(parts[0]!).toString('latin1'));
    }
  }
}
