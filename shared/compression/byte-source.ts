import { readNumber } from './byte-reader.js';
import { CompressionError } from './error.js';

/** Bytes that come in pieces, read from start to end. Never holds more than what was asked for and one piece. */
export class ByteSource {
  readonly name: string;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  #offset = 0;

  /** @param name of the file, for errors */
  constructor(name: string, pieces: AsyncIterable<Uint8Array>) {
    this.name = name;
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether nothing is left. */
  async isAtEnd(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const { value, done } = await this.#pieces.next();
      if (done) return true;
      this.#piece = value;
    }
    return false;
  }

  /**
   * The next bytes. What a file states may be more than there is: memory is taken only for what has come.
   *
   * @throws CompressionError where the file ends before
   */
  async take(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let wanted = length;
    while (wanted > 0) {
      if (await this.isAtEnd()) throw this.damaged(`it is cut off: ${wanted} of ${length} bytes are missing`);
      const part = this.#piece.subarray(0, wanted);
      this.#piece = this.#piece.subarray(part.length);
      this.#offset += part.length;
      wanted -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** A whole number in LEB128. */
  async number(): Promise<number> {
    const bytes: number[] = [];
    do bytes.push((await this.take(1))[0]!);
    while (bytes.at(-1)! >= 0x80 && bytes.length < 9);
    return readNumber(() => bytes.shift() ?? 0);
  }

  damaged(what: string): CompressionError {
    return new CompressionError(`${this.name} is damaged at byte ${this.#offset}: ${what}`);
  }
}
