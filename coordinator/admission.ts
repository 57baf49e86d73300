import { Reply, type Context } from 'zeromq';
import type { CoordinatorKeys } from '../shared/keys/keys.js';

/** Where ZeroMQ asks, in the context of its sockets, whether a connection may come in (RFC 27, ZAP). */
const ADDRESS = 'inproc://zeromq.zap.01';
/** Any name: without one, connections that bring no key are not asked about. */
export const ZAP_DOMAIN = 'ardm';

const OK = '200';
/** Says nothing to the peer, which tries again once the handshake has taken too long. */
const BUSY = '300';
const REFUSED = '400';

export interface AdmissionOptions {
  /** undefined: nobody needs a key. */
  readonly keys: Pick<CoordinatorKeys, 'nameOf'> | undefined;
  /** There is no room for another connection. */
  readonly isFull: () => boolean;
  readonly refused: (reason: string) => void;
}

interface Verdict {
  readonly status: typeof OK | typeof BUSY | typeof REFUSED;
  readonly text: string;
}

/** Says of each connection, before a message of it is read, whether it may come in. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #socket: Reply;

  constructor(context: Context, options: AdmissionOptions) {
    this.#options = options;
    this.#socket = new Reply({ context, linger: 0 });
  }

  /** Resolves once it answers: no socket may listen before. */
  async open(): Promise<void> {
    await this.#socket.bind(ADDRESS);
    void this.#serve();
  }

  close(): void {
    this.#socket.close();
  }

  async #serve(): Promise<void> {
    try {
      for await (const [version, request, , address, , mechanism, key] of this.#socket) {
        const { status, text } = this.#judge(address!.toString(), mechanism!.toString(), key);
        await this.#socket.send([version!, request!, status, text, '', '']);
      }
    } catch (error) {
      // Without an answer nobody comes in.
      if (!this.#socket.closed) this.#options.refused(`nobody is let in: ${(error as Error).message}`);
    }
  }

  #judge(address: string, mechanism: string, key: Uint8Array | undefined): Verdict {
    const { keys, isFull, refused } = this.#options;
    if (isFull()) {
      refused(`${address}: there are too many connections`);
      return { status: BUSY, text: 'too many connections' };
    }
    if (!keys) return { status: OK, text: 'no keys are needed' };
    const publicKey = Buffer.from(key ?? []).toString('base64url');
    const name = mechanism === 'CURVE' ? keys.nameOf(publicKey) : undefined;
    if (name !== undefined) return { status: OK, text: name };
    refused(`${address}: its key ${publicKey} is not allowed`);
    return { status: REFUSED, text: 'this key is not allowed' };
  }
}
