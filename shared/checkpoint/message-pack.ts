/**
 * A reader of MessagePack that takes files of over 2 GiB, as a train state of the largest published model is: the decoders for
 * messages count positions in 31 bits. Bytes are views of the file, not copies.
 */

/** A file that is no MessagePack, or not all of one; the message says where. */
export class MessagePackError extends Error {
  override readonly name = 'MessagePackError';
}

/** A value of an application's own type. */
export class Extension {
  constructor(
    readonly type: number,
    readonly data: Uint8Array,
  ) {}
}

export type MessagePack =
  null | boolean | number | string | Uint8Array | Extension | MessagePack[] | Map<string, MessagePack>;

/** Far more than any train state has, and far less than the stack takes. */
const MAX_DEPTH = 100;

/**
 * Reads the one value that fills `bytes`. Integers beyond 2^53 are rounded.
 *
 * @throws MessagePackError
 */
export function parseMessagePack(bytes: Uint8Array): MessagePack {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.position !== bytes.length)
    throw new MessagePackError(`its value ends at byte ${reader.position}, but it has ${bytes.length} bytes`);
  return value;
}

class Reader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): MessagePack {
    const begin = this.position;
    if (depth > MAX_DEPTH) throw new MessagePackError(`it is nested deeper than ${MAX_DEPTH}`);
    const code = this.#unsigned(1);
    if (code < 0x80) return code;
    if (code < 0x90) return this.#map(code - 0x80, depth);
    if (code < 0xa0) return this.#array(code - 0x90, depth);
    if (code < 0xc0) return this.#text(code - 0xa0);
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return code === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#unsigned(2 ** (code - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#unsigned(2 ** (code - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.#unsigned(2 ** (code - 0xcc));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#skip(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(2 ** (code - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#unsigned(2 ** (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(2 ** (code - 0xdb)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(2 ** (code - 0xdd)), depth);
      default:
        throw new MessagePackError(`byte ${begin} is ${code}, which begins no value`);
    }
  }

  #map(length: number, depth: number): Map<string, MessagePack> {
    const map = new Map<string, MessagePack>();
    for (let i = 0; i < length; i++) {
      const begin = this.position;
      const key = this.value(depth + 1);
      if (typeof key !== 'string' || map.has(key))
        throw new MessagePackError(`the key at byte ${begin} is no string, or there twice`);
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  #array(length: number, depth: number): MessagePack[] {
    const array: MessagePack[] = [];
    while (array.length < length) array.push(this.value(depth + 1));
    return array;
  }

  #text(length: number): string {
    const begin = this.position;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(length));
    } catch (error) {
      if (error instanceof MessagePackError) throw error;
      throw new MessagePackError(`the text at byte ${begin} is not UTF-8`, { cause: error });
    }
  }

  #extension(length: number): Extension {
    return new Extension(this.#view.getInt8(this.#skip(1)), this.#take(length));
  }

  #unsigned(bytes: number): number {
    const at = this.#skip(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at);
    return bytes === 4 ? this.#view.getUint32(at) : Number(this.#view.getBigUint64(at));
  }

  #take(length: number): Uint8Array {
    const begin = this.#skip(length);
    return this.#bytes.subarray(begin, begin + length);
  }

  /** Moves over `length` bytes; returns where they begin. */
  #skip(length: number): number {
    const begin = this.position;
    if (length > this.#bytes.length - begin)
      throw new MessagePackError(
        `it is truncated: ${length} bytes from byte ${begin} on are missing, at least in part; it has ${this.#bytes.length}`,
      );
    this.position += length;
    return begin;
  }
}
