import { Dealer } from 'zeromq';
import { EXIT, UserError } from '../shared/errors.js';
import { workerCurve, type WorkerKeys } from '../shared/keys/keys.js';
import { Outbox } from '../shared/protocol/outbox.js';

/** A worker's end of the wire. */
export interface CoordinatorLink {
  /** The next message. Throws once the link is closed. */
  receive(): Promise<readonly Uint8Array[]>;
  /** Sends in order. Frames are not copied: see `Outbox`. */
  post(parts: Uint8Array[]): void;
  /** Resolves when all that was posted is with the socket. */
  flush(): Promise<void>;
  readonly closed: boolean;
  close(): void;
}

/** Hears why no connection comes about; `isFinal`: none will. */
export type Refused = (reason: string, isFinal: boolean) => void;

/** Handshakes that fail one after another before that is told: a cut connection is no refusal. */
const TELL_AFTER = 3;
/** Handshakes with something that is no such coordinator before it is given up. */
const GIVE_UP_AFTER = 5;
/** ZeroMQ itself does not try such a peer again. */
const AGAIN_MS = 1000;

/** Over ZeroMQ, which connects, and connects again, by itself; with keys, over CURVE. */
export class DealerLink implements CoordinatorLink {
  readonly #dealer: Dealer;
  readonly #outbox: Outbox;
  readonly #address: string;
  readonly #keys: WorkerKeys | undefined;
  readonly #refused: Refused;
  #numFailed = 0;
  #again: NodeJS.Timeout | undefined;

  /**
   * @param identity by which the coordinator knows this process, however often it connects
   * @param keys undefined: of a coordinator that wants none
   * @throws UserError where the address is none
   */
  constructor(
    address: string,
    identity: string,
    maxMessageBytes: number,
    keys?: WorkerKeys,
    refused: Refused = () => undefined,
  ) {
    this.#address = address;
    this.#keys = keys;
    this.#refused = refused;
    this.#dealer = new Dealer({
      routingId: identity,
      linger: 1000,
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
      reconnectInterval: 200,
      reconnectMaxInterval: 5000,
      ...(keys && workerCurve(keys)),
    });
    this.#watchHandshakes();
    this.#outbox = new Outbox(this.#dealer, () => undefined);
    this.#dealer.maxMessageSize = maxMessageBytes;
    try {
      this.#dealer.connect(address);
    } catch (error) {
      throw new UserError(
        `${address} is no address to connect to: ${(error as Error).message}. Write tcp://HOST:PORT`,
        EXIT.usage,
        { cause: error },
      );
    }
  }

  get closed(): boolean {
    return this.#dealer.closed;
  }

  receive(): Promise<Uint8Array[]> {
    return this.#dealer.receive();
  }

  post(parts: Uint8Array[]): void {
    this.#outbox.post(parts);
  }

  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  close(): void {
    clearTimeout(this.#again);
    this.#dealer.close();
  }

  #watchHandshakes(): void {
    const { events } = this.#dealer;
    const name = this.#keys?.name;
    events.on('handshake', () => (this.#numFailed = 0));
    events.on('handshake:error:auth', () =>
      this.#refused(
        `the coordinator at ${this.#address} does not let the key of "${name}" in: it was never added there, or was removed`,
        true,
      ),
    );
    events.on('handshake:error:other', () => {
      if (++this.#numFailed !== TELL_AFTER) return;
      const why =
        name === undefined
          ? ': its coordinator may want keys (--keys FILE)'
          : `: its coordinator may have another key than the one that "${name}" was made for`;
      this.#refused(`connections to ${this.#address} end in the handshake${why}`, false);
    });
    events.on('handshake:error:protocol', () => {
      const why =
        name === undefined
          ? 'wants keys (--keys FILE), or is no coordinator'
          : 'wants no keys, or is no coordinator: leave --keys out, or start the coordinator with its own';
      if (++this.#numFailed >= GIVE_UP_AFTER)
        return this.#refused(`what listens at ${this.#address} ${why}`, true);
      this.#again = setTimeout(() => {
        this.#dealer.disconnect(this.#address);
        this.#dealer.connect(this.#address);
      }, AGAIN_MS);
    });
  }
}
