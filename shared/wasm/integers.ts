import { leb, operation, type Code } from './assembler.js';

/** A signed number in LEB128. */
function signedLeb(value: bigint): number[] {
  const [byte, rest] = [Number(value & 0x7fn), value >> 7n];
  const isLast = rest === (byte & 0x40 ? -1n : 0n);
  return isLast ? [byte] : [byte | 0x80, ...signedLeb(rest)];
}

const UNALIGNED = 0;
const load =
  (opcode: number) =>
  (address: Code, offset = 0): Code => [...address, opcode, UNALIGNED, ...leb(offset)];
const store =
  (opcode: number) =>
  (address: Code, value: Code, offset = 0): Code => [...address, ...value, opcode, UNALIGNED, ...leb(offset)];

/** Integers of 32 bits; loads take an address and an offset in bytes. Comparisons and shifts to the right are unsigned. */
export const I32 = {
  of: (value: number): Code => [0x41, ...signedLeb(BigInt(value))],
  load: load(0x28),
  load16: load(0x2f),
  store: store(0x36),
  store16: store(0x3b),
  below: operation(0x49),
  above: operation(0x4b),
  atMost: operation(0x4d),
  add: operation(0x6a),
  sub: operation(0x6b),
  mul: operation(0x6c),
  and: operation(0x71),
  shiftLeft: operation(0x74),
  lowOf64: operation(0xa7),
} as const;

/** Integers of 64 bits; comparisons and shifts to the right are unsigned where they are not said to be signed. */
export const I64 = {
  of: (value: number | bigint): Code => [0x42, ...signedLeb(BigInt(value))],
  load: load(0x29),
  load32: load(0x35),
  store: store(0x37),
  store32: store(0x3e),
  below: operation(0x54),
  above: operation(0x56),
  add: operation(0x7c),
  sub: operation(0x7d),
  mul: operation(0x7e),
  and: operation(0x83),
  or: operation(0x84),
  shiftLeft: operation(0x86),
  signedShiftRight: operation(0x87),
  shiftRight: operation(0x88),
  from32: operation(0xad),
  bitsOfF64: operation(0xbd),
} as const;

/** Float64. */
export const F64 = {
  of: (value: number): Code => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  load: load(0x2b),
  add: operation(0xa0),
  mul: operation(0xa2),
  div: operation(0xa3),
  fromUnsigned64: operation(0xba),
} as const;

/** The first value where the condition holds, else the second, without a branch. */
export const choose = (condition: Code, first: Code, second: Code): Code =>
  operation(0x1b)(first, second, condition);

const [BLOCK, LOOP, IF, END, BRANCH, BRANCH_IF] = [0x02, 0x03, 0x04, 0x0b, 0x0c, 0x0d];
const [NO_RESULT, IS_ZERO] = [0x40, 0x45];

/** Runs the body if the condition holds. */
export const onlyIf = (condition: Code, ...body: Code[]): Code => [
  ...[...condition, IF, NO_RESULT],
  ...[...body.flat(), END],
];

/** Runs the body as long as the condition before it holds. */
export const whileHolds = (condition: Code, ...body: Code[]): Code => [
  ...[BLOCK, NO_RESULT, LOOP, NO_RESULT],
  ...[...condition, IS_ZERO, BRANCH_IF, 1],
  ...body.flat(),
  ...[BRANCH, 0, END, END],
];
