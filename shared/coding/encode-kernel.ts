import { Kernel, TYPE, type Code, type Variable } from '../wasm/assembler.js';
import { F64, I32, I64, choose, whileHolds } from '../wasm/integers.js';
import { TOTAL, TOTAL_BITS, WORD_BITS } from './format.js';
import { AT, RECIPROCAL_OFFSET, STATE_BYTES, entryAddress, frequencyOf, startOf } from './layout.js';

/** Where a kernel has its symbols from. */
export interface Source {
  /** Bytes of a symbol, and of its distribution. */
  readonly width: number;
  /** What reads symbol n from the pointers on; the start and frequency are 64-bit, the reciprocal is float64. */
  reader(
    kernel: Kernel,
    symbols: Variable,
    distributions: Variable,
    numClasses: Variable,
  ): (n: number) => { read: Code; start: Code; frequency: Code; reciprocal: Code };
}

export const fromArrays: Source = {
  width: 4,
  reader(kernel, symbols, distributions) {
    const [frequency] = kernel.locals(1, TYPE.i64);
    const reciprocal = F64.div(F64.of(1), F64.fromUnsigned64(frequency.value));
    return (n) => ({
      read: frequency.set(I64.load32(distributions.value, 4 * n)),
      start: I64.load32(symbols.value, 4 * n),
      frequency: frequency.value,
      reciprocal,
    });
  },
};

export const fromTables: Source = {
  width: 2,
  reader(kernel, symbols, distributions, numClasses) {
    const [address, symbol, table] = kernel.locals(3, TYPE.i32);
    const [entry, frequency] = kernel.locals(2, TYPE.i64);
    return (n) => ({
      read: [
        ...symbol.set(I32.load16(symbols.value, 2 * n)),
        ...table.set(I32.load16(distributions.value, 2 * n)),
        ...address.set(entryAddress(numClasses, table.value, symbol.value)),
        ...entry.set(I64.load(address.value)),
        ...frequency.set(frequencyOf(entry.value)),
      ],
      start: startOf(entry.value),
      frequency: frequency.value,
      reciprocal: F64.load(address.value, RECIPROCAL_OFFSET),
    });
  },
};

/**
 * Encodes the symbols before `count` in turn, the last first, symbol n into state n mod numStreams, the first of which lies at
 * `states`: until `least` are left or the words have reached `stop`. Returns how many are left.
 */
export function encodeKernel(name: string, numStreams: number, source: Source): Kernel {
  const { width } = source;
  const kernel = new Kernel(name, TYPE.i32);
  const [states, count, least, stop, numClasses] = kernel.params(5, TYPE.i32);
  const [symbols, distributions, words] = kernel.locals(3, TYPE.i32);
  const [quotient, rest] = kernel.locals(2, TYPE.i64);
  const streams = kernel.locals(numStreams, TYPE.i64);
  const symbolAt = source.reader(kernel, symbols, distributions, numClasses);
  const step = (state: Variable, n: number) => {
    const { read, start, frequency, reciprocal } = symbolAt(n);
    const limit = I64.sub(I64.shiftLeft(frequency, I64.of(64 - TOTAL_BITS)), I64.of(1));
    const isFull = I64.above(state.value, limit);
    const scaled = F64.mul(F64.fromUnsigned64(state.value), reciprocal);
    // A quotient below 2^40 is the last bits of its sum with 2^52: the nearest integer, which is the quotient or one more.
    const nearest = I64.bitsOfF64(F64.add(scaled, F64.of(2 ** 52)));
    const oneMore = I64.signedShiftRight(rest.value, I64.of(63));
    const corrected = I64.and(oneMore, I64.sub(frequency, I64.of(TOTAL)));
    const coded = I64.add(I64.shiftLeft(quotient.value, I64.of(TOTAL_BITS)), I64.add(rest.value, start));
    return [
      ...read,
      // Written always and kept if the state is full: when it is can't be predicted, so a branch would cost more.
      ...I64.store32(I32.sub(words.value, I32.of(4)), state.value),
      ...words.set(I32.sub(words.value, I32.shiftLeft(isFull, I32.of(2)))),
      ...state.set(choose(isFull, I64.shiftRight(state.value, I64.of(WORD_BITS)), state.value)),
      ...quotient.set(I64.sub(nearest, I64.of(0x433n << 52n))),
      ...rest.set(I64.sub(state.value, I64.mul(quotient.value, frequency))),
      ...state.set(I64.add(coded, corrected)),
    ];
  };
  const move = (pointer: Variable, by: Code) => pointer.set(I32.add(pointer.value, by));
  const more = I32.and(I32.above(count.value, least.value), I32.above(words.value, stop.value));
  kernel.body = [
    ...symbols.set(I32.add(I32.of(AT.symbols), I32.mul(count.value, I32.of(width)))),
    ...distributions.set(I32.add(I32.of(AT.distributions), I32.mul(count.value, I32.of(width)))),
    ...words.set(I32.load(I32.of(AT.firstWord))),
    ...streams.flatMap((state, n) => state.set(I64.load(states.value, STATE_BYTES * n))),
    ...whileHolds(
      more,
      move(count, I32.of(-numStreams)),
      move(symbols, I32.of(-numStreams * width)),
      move(distributions, I32.of(-numStreams * width)),
      ...streams.map(step).reverse(),
    ),
    ...streams.flatMap((state, n) => I64.store(states.value, state.value, STATE_BYTES * n)),
    ...I32.store(I32.of(AT.firstWord), words.value),
    ...count.value,
  ];
  return kernel;
}
