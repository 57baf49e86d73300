import { CompressionError } from './error.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Controls would move a terminal's cursor when a name is shown. */
const CONTROL = /\p{Cc}/u;

/** Reads what a `ByteWriter` has written, which may have been made by anyone: nothing is allocated that is not there. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #where: string;
  #at = 0;

  /** @param where begins every error, as in `digits.ardm is damaged: its header` */
  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  /** Bytes that are still to be read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** A whole number of at most `most`; `what` names it where it is more. */
  number(what: string, most: number = Number.MAX_SAFE_INTEGER): number {
    const value = readNumber(() => this.bytes(1)[0]!);
    if (!(value <= most)) throw this.error(`has ${what} of ${value}, more than ${most}`);
    return value;
  }

  word(): number {
    const { buffer, byteOffset } = this.bytes(4);
    return new DataView(buffer, byteOffset).getUint32(0, true);
  }

  /** The next bytes, shared with the whole. */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw this.error(`ends ${length - this.left} bytes too early`);
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  sized(what: string): Uint8Array {
    return this.bytes(this.number(`a length of ${what}`));
  }

  /** A text without control characters. */
  text(what: string): string {
    const bytes = this.sized(what);
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      throw this.error(`has ${what} that is no UTF-8`);
    }
    if (CONTROL.test(text)) throw this.error(`has ${what} with control characters`);
    return text;
  }

  /** Throws CompressionError where something is left. */
  end(): void {
    if (this.left > 0) throw this.error(`has ${this.left} bytes too many`);
  }

  /** A reader of bytes that stand packed in what this one reads; `what` names them. */
  nested(bytes: Uint8Array, what: string): ByteReader {
    return new ByteReader(bytes, `${this.#where}: ${what}`);
  }

  error(what: string): CompressionError {
    return new CompressionError(`${this.#where} ${what}`);
  }
}

/** Reads LEB128 byte by byte; more than 2^53 comes as Infinity. */
export function readNumber(nextByte: () => number): number {
  let value = 0;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = nextByte();
    value += (byte % 0x80) * scale;
    if (value > Number.MAX_SAFE_INTEGER) return Infinity;
    if (byte < 0x80) return value;
    // Zeros without end would otherwise count for nothing.
    if (scale > Number.MAX_SAFE_INTEGER) return Infinity;
  }
}
