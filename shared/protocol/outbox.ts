/** What an outbox sends through: a ZeroMQ socket. */
export interface Sender {
  send(parts: Uint8Array[]): Promise<void>;
}

/**
 * Sends messages in order, one at a time: a ZeroMQ socket takes one pending send only. Frames are not copied, so a
 * buffer that was posted may be reused only after its receiver said in a message that it has it.
 */
export class Outbox {
  readonly #sender: Sender;
  readonly #failed: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #bytes = 0;

  constructor(sender: Sender, failed: (error: unknown) => void) {
    this.#sender = sender;
    this.#failed = failed;
  }

  /** Bytes handed to the socket so far. */
  get bytes(): number {
    return this.#bytes;
  }

  post(parts: Uint8Array[]): void {
    for (const part of parts) this.#bytes += part.byteLength;
    this.#last = this.#last.then(() => this.#sender.send(parts)).catch(this.#failed);
  }

  /** Resolves when all that was posted is with the socket. */
  async flush(): Promise<void> {
    await this.#last;
  }
}
