import { leb, operation, type Code } from './assembler.js';

const simd = (opcode: number, ...immediates: number[]) => operation(0xfd, ...leb(opcode), ...immediates);
const UNALIGNED = 0;
const constant = (bytes: ArrayBuffer): Code => [0xfd, 0x0c, ...new Uint8Array(bytes)];

/** On four float32 in a vector of 128 bits. */
export const F32x4 = {
  of: (value: number): Code => constant(Float32Array.of(value, value, value, value).buffer),
  floor: simd(0x68),
  min: simd(0xe8),
  max: simd(0xe9),
  fromIntegers: simd(0xfa),
  /** Towards zero. */
  toIntegers: simd(0xf8),
  /** Of four, one as a number. */
  lane: (nth: number) => simd(0x1f, nth),
} as const;

/** On four 32-bit integers; where it is said, on eight of 16 bits or sixteen of 8. */
export const I32x4 = {
  of: (...lanes: readonly [number] | readonly [number, number, number, number]): Code => {
    const four = lanes.length === 1 ? [lanes[0], lanes[0], lanes[0], lanes[0]] : lanes;
    return constant(Int32Array.from(four).buffer);
  },
  splat: simd(0x11),
  and: simd(0x4e),
  or: simd(0x50),
  xor: simd(0x51),
  shiftLeft: simd(0xab),
  /** Unsigned. */
  shiftRight: simd(0xad),
  add: simd(0xae),
  sub: simd(0xb1),
  mul: simd(0xb5),
  /** All bits of a lane, or none; signed. */
  atLeast: simd(0x3f),
  /** A bit of a number for each lane: its highest. */
  highestBits: simd(0xa4),
  /** Signed. */
  min: simd(0xb6),
  max: simd(0xb8),
  /** Of one vector, its lanes in another order. */
  swapHalves: (vector: Code): Code => shuffled(vector, [2, 3, 0, 1]),
  swapNeighbours: (vector: Code): Code => shuffled(vector, [1, 0, 3, 2]),
  /** Two vectors into one of half as wide integers: saturating, what goes in signed. */
  toUnsigned16: simd(0x86),
  to16: simd(0x85),
  from16To8: simd(0x65),
  /** Half of one vector into a whole one of twice as wide integers. */
  lowOf8: simd(0x87),
  highOf8: simd(0x88),
  lowOf16: simd(0xa7),
  highOf16: simd(0xa8),
  lowOfUnsigned16: simd(0xa9),
  highOfUnsigned16: simd(0xaa),
} as const;

function shuffled(vector: Code, lanes: readonly number[]): Code {
  const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
  return simd(0x0d, ...bytes)(vector, vector);
}

/** The vector at `address + offset`. */
export const loadAt = (address: Code, offset: number): Code => simd(0x00, UNALIGNED, ...leb(offset))(address);
export const storeAt = (address: Code, offset: number, vector: Code): Code =>
  simd(0x0b, UNALIGNED, ...leb(offset))(address, vector);
/** The lowest byte of a vector. */
export const storeByte = (address: Code, vector: Code): Code => simd(0x58, UNALIGNED, 0, 0)(address, vector);
/** An unsigned byte. */
export const loadByte = (address: Code): Code => operation(0x2d, UNALIGNED, 0)(address);
