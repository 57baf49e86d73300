/** What WebAssembly counts memory in, a multiple of what the machine does. */
const PAGE_BYTES = 65_536;

/** Bytes of a buffer for a gradient, float32, and its stamp: whole pages, so that it can be one that processes share. */
export function gradientBytes(numParameters: number): number {
  return PAGE_BYTES * Math.ceil((4 * numParameters + 4) / PAGE_BYTES);
}

/** The gradient in its buffer. */
export function gradientIn(buffer: SharedArrayBuffer, numParameters: number): Float32Array {
  return new Float32Array(buffer, 0, numParameters);
}

/** Marks a gradient that others read when they get to it, before it is written with 0 and afterwards: whoever still finds the stamp after reading has read it whole. */
export function stampGradient(buffer: SharedArrayBuffer, numParameters: number, stamp: number): void {
  Atomics.store(stampIn(buffer, numParameters), 0, stamp);
}

/** Reads what was written with this stamp; false where something else has been, or is being, written over it. */
export function readStamped(buffer: SharedArrayBuffer, into: Float32Array, stamp: number): boolean {
  into.set(gradientIn(buffer, into.length));
  return Atomics.load(stampIn(buffer, into.length), 0) === stamp;
}

function stampIn(buffer: SharedArrayBuffer, numParameters: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(buffer, 4 * numParameters, 1);
}
