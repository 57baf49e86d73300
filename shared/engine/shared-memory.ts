import koffi from 'koffi';
import type { InputArray } from './engine.js';

/** One alias of each shared buffer: as long as the buffer lives, so does its alias's memory. */
const aliases = new WeakMap<ArrayBufferLike, ArrayBuffer>();

/**
 * The same memory as an array on an ArrayBuffer: ONNX Runtime refuses arrays on shared buffers. Whoever uses the
 * result keeps the given array referenced, or its memory goes.
 */
export function unshared<T extends InputArray>(array: T): T {
  if (!(array.buffer instanceof SharedArrayBuffer)) return array;
  let alias = aliases.get(array.buffer);
  if (!alias) {
    alias = koffi.view(koffi.address(new Uint8Array(array.buffer)), array.buffer.byteLength);
    aliases.set(array.buffer, alias);
  }
  const ArrayType = array.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T;
  return new ArrayType(alias, array.byteOffset, array.length);
}
