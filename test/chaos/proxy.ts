import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a line does to each chunk that passes. */
export interface Conditions {
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

const GOOD: Conditions = { delayMs: 0, bytesPerSecond: Infinity };

/** A line between a worker and the coordinator's port: TCP, which delays, throttles, holds back, flips bits and is cut as told. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #conditions = GOOD;
  #held: { promise: Promise<void>; release: () => void } | undefined;
  #flip: ((chunk: Buffer) => void) | undefined;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      const far = connect(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay();
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        this.#pass(from, to);
      }
    });
  }

  /** @param host of this machine, where the worker connects */
  static async open(targetPort: number, host = '127.0.0.1'): Promise<Proxy> {
    const proxy = new Proxy(targetPort);
    await new Promise<void>((resolve, reject) =>
      proxy.#server.once('error', reject).listen(0, host, resolve),
    );
    return proxy;
  }

  /** As a worker writes it. */
  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `tcp://${address}:${port}`;
  }

  get isUsed(): boolean {
    return this.#sockets.size > 0;
  }

  /** Closes all connections, in both directions, with whatever is on its way. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  worsen(conditions: Partial<Conditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions };
  }

  /** Lets nothing pass, and closes nothing. */
  hold(): void {
    if (this.#held) return;
    let release!: () => void;
    const promise = new Promise<void>((resolve) => (release = resolve));
    this.#held = { promise, release };
  }

  /** Does something to the next chunk of at least `least` bytes, once. */
  flipNext(least: number, flip: (chunk: Buffer) => void): void {
    this.#flip = (chunk) => {
      if (chunk.length < least) return;
      this.#flip = undefined;
      flip(chunk);
    };
  }

  /** As good as new. */
  heal(): void {
    this.#conditions = GOOD;
    this.#flip = undefined;
    this.#held?.release();
    this.#held = undefined;
  }

  close(): void {
    this.heal();
    this.#server.close();
    this.cut();
  }

  async #pass(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        const { delayMs, bytesPerSecond } = this.#conditions;
        const milliseconds = delayMs + (1000 * chunk.length) / bytesPerSecond;
        if (milliseconds > 0) await sleep(milliseconds);
        await this.#held?.promise;
        this.#flip?.(chunk);
        to.write(chunk);
      }
      to.end();
    } catch {
      to.destroy();
    }
  }
}
