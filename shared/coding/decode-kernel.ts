import { Kernel, TYPE, type Variable } from '../wasm/assembler.js';
import { I32, I64, choose, whileHolds } from '../wasm/integers.js';
import { TOTAL, TOTAL_BITS, WORD_BITS } from './format.js';
import {
  AT,
  BUCKET_BYTES,
  STATE_BYTES,
  classOf,
  entryAddress,
  frequencyLessOneOf,
  frequencyOf,
  startOf,
} from './layout.js';

/**
 * Decodes symbols in turn over tables, symbol n from state n mod numStreams, until there are `count` or the words left before
 * `end` might not do for one of each stream. Returns how many there are.
 */
export function decodeKernel(name: string, numStreams: number): Kernel {
  const kernel = new Kernel(name, TYPE.i32);
  const [count, end, numClasses, buckets, bucketBits] = kernel.params(5, TYPE.i32);
  const [n, symbols, distributions, words, table, isEmpty] = kernel.locals(6, TYPE.i32);
  const [entry, slot, bucketShift] = kernel.locals(3, TYPE.i64);
  const streams = kernel.locals(numStreams, TYPE.i64);
  const bucket = I32.add(
    I32.shiftLeft(table.value, bucketBits.value),
    I32.lowOf64(I64.shiftRight(slot.value, bucketShift.value)),
  );
  const next = I32.add(classOf(entry.value), I32.of(1));
  const offset = I64.sub(slot.value, startOf(entry.value));
  const step = (state: Variable, nth: number) => {
    const quotient = I64.shiftRight(state.value, I64.of(TOTAL_BITS));
    const withWord = I64.or(I64.shiftLeft(state.value, I64.of(WORD_BITS)), I64.load32(words.value));
    return [
      ...slot.set(I64.and(state.value, I64.of(TOTAL - 1))),
      ...table.set(I32.load16(distributions.value, 2 * nth)),
      ...entry.set(I64.load(I32.add(buckets.value, I32.mul(bucket, I32.of(BUCKET_BYTES))))),
      ...whileHolds(
        I64.above(offset, frequencyLessOneOf(entry.value)),
        entry.set(I64.load(entryAddress(numClasses, table.value, next))),
      ),
      ...I32.store16(symbols.value, I32.lowOf64(entry.value), 2 * nth),
      ...state.set(I64.add(I64.mul(quotient, frequencyOf(entry.value)), offset)),
      ...isEmpty.set(I64.below(state.value, I64.of(2 ** WORD_BITS))),
      ...state.set(choose(isEmpty.value, withWord, state.value)),
      ...words.set(I32.add(words.value, I32.shiftLeft(isEmpty.value, I32.of(2)))),
    ];
  };
  const move = (pointer: Variable, by: number) => pointer.set(I32.add(pointer.value, I32.of(by)));
  const enough = I32.atMost(I32.add(words.value, I32.of(4 * numStreams)), end.value);
  kernel.body = [
    ...symbols.set(I32.of(AT.symbols)),
    ...distributions.set(I32.of(AT.distributions)),
    ...bucketShift.set(I64.from32(I32.sub(I32.of(TOTAL_BITS), bucketBits.value))),
    ...words.set(I32.load(I32.of(AT.firstWord))),
    ...streams.flatMap((state, nth) => state.set(I64.load(I32.of(AT.states), STATE_BYTES * nth))),
    ...whileHolds(
      I32.and(I32.below(n.value, count.value), enough),
      ...streams.map(step),
      move(n, numStreams),
      move(symbols, 2 * numStreams),
      move(distributions, 2 * numStreams),
    ),
    ...streams.flatMap((state, nth) => I64.store(I32.of(AT.states), state.value, STATE_BYTES * nth)),
    ...I32.store(I32.of(AT.firstWord), words.value),
    ...n.value,
  ];
  return kernel;
}
