/** Numbers, texts and bytes, one after another, as the blocks of a compressed file hold them. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  /** A whole number below 2^53 in LEB128: seven bits a byte, the lowest first, the eighth set in all but the last. */
  number(value: number): this {
    const bytes: number[] = [];
    for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) + 0x80);
    bytes.push(value);
    return this.bytes(Uint8Array.from(bytes));
  }

  /** 32 bits, the lowest byte first. */
  word(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  /** Bytes after the number of them. */
  sized(bytes: Uint8Array): this {
    return this.number(bytes.length).bytes(bytes);
  }

  /** UTF-8 after the number of its bytes. */
  text(text: string): this {
    return this.sized(Buffer.from(text));
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
