import { addPair, leb, mulPair, operation, type Code } from './assembler.js';

const simd = (opcode: number) => operation(0xfd, ...leb(opcode));

/** On two float64, or where it is said on two 64-bit integers, in a vector of 128 bits. */
export const F64x2 = {
  /** One number twice. */
  of: (value: number): Code => [...[0xfd, 0x0c], ...new Uint8Array(new Float64Array([value, value]).buffer)],
  /** One float64 in both lanes. */
  splat: simd(0x14),
  add: addPair,
  sub: simd(0xf1),
  mul: mulPair,
  /** All bits of a lane, or none. */
  atLeast: simd(0x4c),
  and: simd(0x4e),
  /** The lanes as integers, by a number of bits. */
  shiftLeft: simd(0xcb),
  addIntegers: simd(0xce),
} as const;
