import { TOTAL } from '../../shared/coding/format.js';

export interface Interval {
  readonly start: number;
  readonly frequency: number;
}

const WORD = 2n ** 32n;
const M = BigInt(TOTAL);

/** The format as `shared/coding/format.ts` has it, in whole numbers of any size: what the fast encoder must write. */
export function plainEncode(symbols: readonly Interval[], numStreams: number): Uint8Array {
  /** The next to be read first. */
  const words: bigint[] = [];
  let alone = true;
  const states = Array<bigint>(numStreams).fill(0n);
  const push = (nth: number, { start, frequency }: Interval, afterWord = () => {}) => {
    const f = BigInt(frequency);
    if (states[nth]! >= f << 40n) {
      words.unshift(states[nth]! % WORD);
      states[nth]! /= WORD;
      afterWord();
    }
    const x = states[nth]!;
    states[nth] = (x / f) * M + BigInt(start) + (x % f);
  };
  for (let n = symbols.length - 1; n >= 0; n--) {
    const nth = n % numStreams;
    if (alone) states[nth] = states[(n + 1) % numStreams]!;
    push(nth, symbols[n]!, () => {
      if (!alone || numStreams === 1 || words.length < numStreams - 1) return;
      alone = false;
      words.splice(0).forEach((word, k) => (states[(nth + 1 + k) % numStreams] = WORD + word));
    });
  }
  if (!alone)
    for (let k = numStreams - 1; k > 0; k--) {
      const high = states[k]! / WORD;
      const bits = high.toString(2).length - 1;
      const [upper, lower] = [Math.max(0, bits - 16), Math.min(bits, 16)];
      const rest = Number(high - 2n ** BigInt(bits));
      const [above, below] = [Math.floor(rest / 65_536), rest % 65_536];
      for (const [value, width] of [
        [below, lower],
        [above, upper],
        [bits, 5],
      ] as const)
        push(0, { start: (value * TOTAL) / 2 ** width, frequency: TOTAL / 2 ** width });
      words.unshift(states[k]! % WORD);
    }
  return Uint8Array.from([...bytesOf(states[0]!), ...words.flatMap((word) => bytesOf(word, 4))]);
}

/** Little-endian, at least `length` bytes. */
function bytesOf(value: bigint, length = 0): number[] {
  return value === 0n && length <= 0 ? [] : [Number(value % 256n), ...bytesOf(value / 256n, length - 1)];
}
