import type { TestContext } from 'node:test';
import { Dealer } from 'zeromq';
import { version } from '../../shared/package.js';
import { decode, encode } from '../../shared/protocol/codec.js';
import { PROTOCOL, toWorkerSchema, type FromWorker, type ToWorker } from '../../shared/protocol/messages.js';

/** A worker's end of the wire, spoken by hand: what a real worker would never say. */
export class HandMadePeer {
  readonly #socket = new Dealer({ linger: 0 });

  constructor(t: TestContext, address: string) {
    this.#socket.connect(address);
    t.after(() => this.#socket.close());
  }

  hangUp(): void {
    this.#socket.close();
  }

  async say(message: FromWorker, frames: readonly Uint8Array[] = []): Promise<void> {
    await this.#socket.send(encode(message, frames));
  }

  async sayRaw(parts: Uint8Array[]): Promise<void> {
    await this.#socket.send(parts);
  }

  async hello(changes: Partial<FromWorker & { type: 'hello' }> = {}): Promise<void> {
    await this.say({
      type: 'hello',
      protocol: PROTOCOL,
      version,
      pid: process.pid,
      attempt: 0,
      host: 'test',
      device: 'none',
      lanes: 1,
      repeatable: true,
      ...changes,
    });
  }

  /** The next message of a type, whatever comes before it. */
  async hear<T extends ToWorker['type']>(type: T): Promise<ToWorker & { type: T }> {
    for await (const parts of this.#socket) {
      const { header } = decode(toWorkerSchema, parts);
      if (header.type === type) return header as ToWorker & { type: T };
    }
    throw new Error(`the socket closed before ${type} came`);
  }
}
