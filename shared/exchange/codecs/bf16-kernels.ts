import { Kernel, TYPE, addI32, belowI32, i32, repeatWhile } from '../../wasm/assembler.js';
import { I32x4, loadAt, storeAt } from '../../wasm/quads.js';
import { CHUNK, scratchOf } from './scratch.js';

/** Addresses in bytes; a multiple of 8 values at a time. */
interface Kernels {
  /** Rounds float32 to the nearest bfloat16, ties to even. Stores the largest of the magnitudes' bits in each of four lanes at `peak`. */
  encode(source: number, target: number, end: number, peak: number): void;
  decode(source: number, target: number, end: number): void;
}

function encodeKernel(): Kernel {
  const kernel = new Kernel('encode');
  const [source, target, end, peakAt] = kernel.params(4, TYPE.i32);
  const [bits, low, high, peak] = kernel.locals(4, TYPE.v128);
  const rounded = I32x4.shiftRight(
    I32x4.add(
      I32x4.add(bits.value, I32x4.of(0x7fff)),
      I32x4.and(I32x4.shiftRight(bits.value, i32(16)), I32x4.of(1)),
    ),
    i32(16),
  );
  const magnitude = I32x4.and(bits.value, I32x4.of(0x7fffffff));
  kernel.body = [
    ...repeatWhile(
      belowI32(source.value, end.value),
      bits.set(loadAt(source.value, 0)),
      peak.set(I32x4.max(peak.value, magnitude)),
      low.set(rounded),
      bits.set(loadAt(source.value, 16)),
      peak.set(I32x4.max(peak.value, magnitude)),
      high.set(rounded),
      storeAt(target.value, 0, I32x4.toUnsigned16(low.value, high.value)),
      source.set(addI32(source.value, i32(32))),
      target.set(addI32(target.value, i32(16))),
    ),
    ...storeAt(peakAt.value, 0, peak.value),
  ];
  return kernel;
}

function decodeKernel(): Kernel {
  const kernel = new Kernel('decode');
  const [source, target, end] = kernel.params(3, TYPE.i32);
  const [codes] = kernel.locals(1, TYPE.v128);
  kernel.body = repeatWhile(
    belowI32(source.value, end.value),
    codes.set(loadAt(source.value, 0)),
    storeAt(target.value, 0, I32x4.shiftLeft(I32x4.lowOfUnsigned16(codes.value), i32(16))),
    storeAt(target.value, 16, I32x4.shiftLeft(I32x4.highOfUnsigned16(codes.value), i32(16))),
    source.set(addI32(source.value, i32(16))),
    target.set(addI32(target.value, i32(32))),
  );
  return kernel;
}

const PEAK = 0;
const VALUES = 64;
const CODES = VALUES + 4 * CHUNK;

/** Chunks of values and their codes, and the kernels between them. */
export function bf16Kernels() {
  const { memory, kernels } = scratchOf<Kernels>([encodeKernel(), decodeKernel()], CODES + 2 * CHUNK);
  const { buffer } = memory;
  const peaks = new Int32Array(buffer, PEAK, 4);
  return {
    values: new Float32Array(buffer, VALUES, CHUNK),
    codes: new Uint8Array(buffer, CODES, 2 * CHUNK),
    /** Encodes the first `count` values. Returns the bits of the largest magnitude among them and what lies after them, up to a multiple of 8. */
    encode(count: number): number {
      kernels.encode(VALUES, CODES, VALUES + 32 * Math.ceil(count / 8), PEAK);
      return Math.max(...peaks);
    },
    /** Decodes the first `count` codes. */
    decode(count: number): void {
      kernels.decode(CODES, VALUES, CODES + 16 * Math.ceil(count / 8));
    },
  };
}
