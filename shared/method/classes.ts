/** Classes of variables, K of them: a byte each up to K = 256, else two. */
export type Classes = Uint8Array | Uint16Array;

const arrayFor = (numClasses: number) => (numClasses <= 256 ? Uint8Array : Uint16Array);

/** Bytes of one variable. */
export function bytesPerVariable(numClasses: number): number {
  return arrayFor(numClasses).BYTES_PER_ELEMENT;
}

export function allocateClasses(numClasses: number, length: number): Classes {
  return new (arrayFor(numClasses))(length);
}

/** The classes that a message or a file holds as bytes, little-endian. The bytes are shared where they are aligned. */
export function classesFrom(bytes: Uint8Array, numClasses: number): Classes {
  const array = arrayFor(numClasses);
  const size = array.BYTES_PER_ELEMENT;
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new array(buffer as ArrayBuffer, byteOffset, bytes.byteLength / size);
}

/** The bytes of classes, shared with them. */
export function bytesOf(classes: Classes): Uint8Array {
  return new Uint8Array(classes.buffer, classes.byteOffset, classes.byteLength);
}
