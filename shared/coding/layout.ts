import { I32, I64 } from '../wasm/integers.js';
import type { Code, Variable } from '../wasm/assembler.js';
import { TOTAL_BITS } from './format.js';

/** Symbols that one call of a kernel codes at most; a multiple of every number of streams. */
export const CHUNK = 1 << 14;

/** Where things lie in the memory of the kernels, in bytes. */
export const AT = {
  /** The states, 64 bits each. */
  states: 0,
  /** Where the words begin: the encoder writes them downwards, the decoder reads them upwards. */
  firstWord: 64,
  /** For each symbol of a chunk its start, 32 bits, or its class, 16 bits. */
  symbols: 128,
  /** For each symbol of a chunk its frequency, 32 bits, or its table, 16 bits. */
  distributions: 128 + 4 * CHUNK,
  /** One word a symbol at most, and those of a message's beginning and end. */
  words: 128 + 8 * CHUNK,
  wordsEnd: 192 + 12 * CHUNK,
  /** For each class of each table an entry: class, frequency - 1 and start in 16, 24 and 24 bits, and 1 / frequency as float64. */
  tables: 192 + 12 * CHUNK,
} as const;

export const STATE_BYTES = 8;
export const ENTRY_BYTES = 16;
export const RECIPROCAL_OFFSET = 8;
export const BUCKET_BYTES = 8;

/** In an entry: */
export const startOf = (entry: Code) => I64.shiftRight(entry, I64.of(40));
export const frequencyLessOneOf = (entry: Code) =>
  I64.and(I64.shiftRight(entry, I64.of(16)), I64.of((1 << TOTAL_BITS) - 1));
export const frequencyOf = (entry: Code) => I64.add(frequencyLessOneOf(entry), I64.of(1));
export const classOf = (entry: Code) => I32.and(I32.lowOf64(entry), I32.of(0xffff));

export const entryAddress = (numClasses: Variable, table: Code, nth: Code) => {
  const index = I32.add(I32.mul(table, numClasses.value), nth);
  return I32.add(I32.of(AT.tables), I32.mul(index, I32.of(ENTRY_BYTES)));
};
