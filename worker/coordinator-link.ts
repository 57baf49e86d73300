import { Dealer } from 'zeromq';
import { EXIT, UserError } from '../shared/errors.js';
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

/** Over ZeroMQ, which connects, and connects again, by itself. */
export class DealerLink implements CoordinatorLink {
  readonly #dealer: Dealer;
  readonly #outbox: Outbox;

  /**
   * @param identity by which the coordinator knows this process, however often it connects
   * @throws UserError where the address is none
   */
  constructor(address: string, identity: string, maxMessageBytes: number) {
    this.#dealer = new Dealer({
      routingId: identity,
      linger: 1000,
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
      reconnectInterval: 200,
      reconnectMaxInterval: 5000,
    });
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
    this.#dealer.close();
  }
}
