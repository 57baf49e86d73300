/** Deeper than any header: a config is what nests deepest. */
const MAX_DEPTH = 16;

/** Bytes after the first of a number, by that first byte. */
const NUMBER_BYTES: Readonly<Record<number, number>> = {
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
};

/**
 * Whether these bytes are one value of MessagePack, whole, of maps, arrays, strings, numbers, booleans, null and undefined. Decoders do more
 * with what is of an extension's type, or nested deeply, than is good for messages of strangers. Makes nothing, and never recurses.
 */
export function isPlain(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const count = (size: 1 | 2 | 4): number => {
    if (at + size > bytes.length) return Infinity;
    at += size;
    if (size === 1) return view.getUint8(at - 1);
    return size === 2 ? view.getUint16(at - 2) : view.getUint32(at - 4);
  };
  const skip = (length: number) => void (at += length);
  /** Values that are still to come, of each array or map that is open. */
  const open = [1];
  while (open.length > 0) {
    if (open.at(-1) === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1]!--;
    if (at >= bytes.length || open.length > MAX_DEPTH) return false;
    const byte = bytes[at++]!;
    if (byte < 0x80 || byte >= 0xe0 || byte === 0xc0 || byte === 0xc2 || byte === 0xc3) continue;
    if (byte < 0x90) open.push(2 * (byte & 15));
    else if (byte < 0xa0) open.push(byte & 15);
    else if (byte < 0xc0) skip(byte & 31);
    else if (byte in NUMBER_BYTES) skip(NUMBER_BYTES[byte]!);
    else if (byte === 0xd9) skip(count(1));
    else if (byte === 0xda) skip(count(2));
    else if (byte === 0xdb) skip(count(4));
    else if (byte === 0xdc) open.push(count(2));
    else if (byte === 0xdd) open.push(count(4));
    else if (byte === 0xde) open.push(2 * count(2));
    else if (byte === 0xdf) open.push(2 * count(4));
    // What msgpackr writes for undefined.
    else if (byte === 0xd4 && count(2) === 0) continue;
    else return false;
  }
  return at === bytes.length;
}
