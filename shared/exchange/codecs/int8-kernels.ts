import {
  Kernel,
  TYPE,
  add,
  addI32,
  belowI32,
  i32,
  mul,
  repeatWhile,
  type Code,
} from '../../wasm/assembler.js';
import { I32 } from '../../wasm/integers.js';
import { F32x4, I32x4, loadAt, loadByte, storeAt, storeByte } from '../../wasm/quads.js';
import { CHUNK, scratchOf } from './scratch.js';

/** Values that share a scale. */
export const BLOCK = 64;
/** The largest exponent byte: 127 times its scale, 2^121, is finite. */
export const MAX_EXPONENT = 247;

/** The golden ratio's fraction: the step of a Weyl sequence. */
const WEYL = 0x9e3779b9;

/** Addresses in bytes; whole blocks. */
interface Kernels {
  /**
   * Writes each block as a scale 2^(byte - 126), the smallest of which 127 reach the block's largest magnitude, and a whole multiple of it for each
   * value: floor(value / scale + u), where u is (the draw's 16 bits & mask | least) / 2^16. Stores the largest of the magnitudes' bits in each
   * of four lanes at `peak`.
   */
  encode(
    source: number,
    target: number,
    exponents: number,
    end: number,
    peak: number,
    draw: number,
    mask: number,
    least: number,
  ): void;
  decode(source: number, exponents: number, target: number, end: number): void;
}

const vectors = Array.from({ length: BLOCK / 4 }, (_, nth) => nth);
const groups = Array.from({ length: BLOCK / 16 }, (_, nth) => nth);

function encodeKernel(): Kernel {
  const kernel = new Kernel('encode');
  const [source, target, exponents, end, peakAt, draw, mask, least] = kernel.params(8, TYPE.i32);
  const [largest, peak, exponent, inverse, counter, hash] = kernel.locals(6, TYPE.v128);
  const codes = kernel.locals(4, TYPE.v128);
  const magnitudeAt = (nth: number) => I32x4.and(loadAt(source.value, 16 * nth), I32x4.of(0x7fffffff));
  const mixed = (shift: number, factor: number): Code =>
    hash.set(
      I32x4.mul(I32x4.xor(hash.value, I32x4.shiftRight(hash.value, i32(shift))), I32x4.of(factor | 0)),
    );
  /** In [0, 1), a multiple of 2^-16, so that what is a multiple of the scale already stays what it is. */
  const offset = mul(
    F32x4.fromIntegers(
      I32x4.or(
        I32x4.and(I32x4.shiftRight(hash.value, i32(16)), I32x4.splat(mask.value)),
        I32x4.splat(least.value),
      ),
    ),
    F32x4.of(2 ** -16),
  );
  const quantized = (nth: number): Code[] => [
    hash.set(counter.value),
    mixed(16, 0x85ebca6b),
    mixed(13, 0xc2b2ae35),
    counter.set(I32x4.add(counter.value, I32x4.of(Math.imul(4, WEYL)))),
    codes[nth % 4]!.set(
      clampedIntegers(F32x4.floor(add(mul(loadAt(source.value, 16 * nth), inverse.value), offset))),
    ),
  ];
  const group = (nth: number): Code[] => [
    ...[0, 1, 2, 3].flatMap((of) => quantized(4 * nth + of)),
    storeAt(
      target.value,
      16 * nth,
      I32x4.from16To8(
        I32x4.to16(codes[0]!.value, codes[1]!.value),
        I32x4.to16(codes[2]!.value, codes[3]!.value),
      ),
    ),
  ];
  kernel.body = [
    ...counter.set(
      I32x4.add(I32x4.splat(draw.value), I32x4.of(0, WEYL | 0, Math.imul(2, WEYL), Math.imul(3, WEYL))),
    ),
    ...repeatWhile(
      belowI32(source.value, end.value),
      largest.set(magnitudeAt(0)),
      ...vectors.slice(1).map((nth) => largest.set(I32x4.max(largest.value, magnitudeAt(nth)))),
      peak.set(I32x4.max(peak.value, largest.value)),
      largest.set(I32x4.max(largest.value, I32x4.swapHalves(largest.value))),
      largest.set(I32x4.max(largest.value, I32x4.swapNeighbours(largest.value))),
      // 127 is 1.984375 x 2^6: whose mantissa is larger needs the next power.
      exponent.set(
        I32x4.sub(I32x4.shiftRight(I32x4.add(largest.value, I32x4.of(0x1ffff)), i32(23)), I32x4.of(7)),
      ),
      exponent.set(I32x4.min(I32x4.max(exponent.value, I32x4.of(0)), I32x4.of(MAX_EXPONENT))),
      storeByte(exponents.value, exponent.value),
      inverse.set(I32x4.shiftLeft(I32x4.sub(I32x4.of(253), exponent.value), i32(23))),
      ...groups.flatMap(group),
      source.set(addI32(source.value, I32.of(4 * BLOCK))),
      target.set(addI32(target.value, I32.of(BLOCK))),
      exponents.set(addI32(exponents.value, i32(1))),
    ),
    ...storeAt(peakAt.value, 0, peak.value),
  ];
  return kernel;
}

const clampedIntegers = (vector: Code) =>
  F32x4.toIntegers(F32x4.max(F32x4.min(vector, F32x4.of(127)), F32x4.of(-127)));

function decodeKernel(): Kernel {
  const kernel = new Kernel('decode');
  const [source, exponents, target, end] = kernel.params(4, TYPE.i32);
  const [scale, codes, half] = kernel.locals(3, TYPE.v128);
  const scaled = (integers: Code) => mul(F32x4.fromIntegers(integers), scale.value);
  const group = (nth: number): Code[] => [
    codes.set(loadAt(source.value, 16 * nth)),
    half.set(I32x4.lowOf8(codes.value)),
    storeAt(target.value, 64 * nth, scaled(I32x4.lowOf16(half.value))),
    storeAt(target.value, 64 * nth + 16, scaled(I32x4.highOf16(half.value))),
    half.set(I32x4.highOf8(codes.value)),
    storeAt(target.value, 64 * nth + 32, scaled(I32x4.lowOf16(half.value))),
    storeAt(target.value, 64 * nth + 48, scaled(I32x4.highOf16(half.value))),
  ];
  kernel.body = repeatWhile(
    belowI32(source.value, end.value),
    scale.set(I32x4.splat(I32.shiftLeft(addI32(loadByte(exponents.value), i32(1)), i32(23)))),
    ...groups.flatMap(group),
    source.set(addI32(source.value, I32.of(BLOCK))),
    exponents.set(addI32(exponents.value, i32(1))),
    target.set(addI32(target.value, I32.of(4 * BLOCK))),
  );
  return kernel;
}

const PEAK = 0;
const VALUES = 64;
const CODES = VALUES + 4 * CHUNK;
const EXPONENTS = CODES + CHUNK;

/** Chunks of values, their codes and exponents, and the kernels between them. */
export function int8Kernels() {
  const { memory, kernels } = scratchOf<Kernels>([encodeKernel(), decodeKernel()], EXPONENTS + CHUNK / BLOCK);
  const { buffer } = memory;
  const peaks = new Int32Array(buffer, PEAK, 4);
  return {
    values: new Float32Array(buffer, VALUES, CHUNK),
    codes: new Uint8Array(buffer, CODES, CHUNK),
    exponents: new Uint8Array(buffer, EXPONENTS, CHUNK / BLOCK),
    /**
     * Encodes the first `numBlocks` blocks. Returns the bits of the largest magnitude.
     *
     * @param draw undefined: to the nearest
     * @param first of the values, counted in its gradient: its draw follows from both
     */
    encode(numBlocks: number, draw: number | undefined, first: number): number {
      const end = VALUES + 4 * BLOCK * numBlocks;
      const start = draw === undefined ? 0 : (draw + Math.imul(first, WEYL)) | 0;
      const [mask, least] = draw === undefined ? [0, 0x8000] : [0xffff, 0];
      kernels.encode(VALUES, CODES, EXPONENTS, end, PEAK, start, mask, least);
      return Math.max(...peaks);
    },
    /** Decodes the first `numBlocks` blocks. */
    decode(numBlocks: number): void {
      kernels.decode(CODES, EXPONENTS, VALUES, CODES + BLOCK * numBlocks);
    },
  };
}
