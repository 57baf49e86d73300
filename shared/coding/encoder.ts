import { TOTAL_BITS, digitsOf, type NumStreams } from './format.js';
import { AT, STATE_BYTES } from './layout.js';
import type { Machine } from './machine.js';

/**
 * A message being coded from its last symbol to its first, in the format of `format.ts`. One at a time on a machine: its states
 * lie there.
 */
export class Encoder {
  readonly #machine: Machine;
  readonly #numStreams: NumStreams;
  /** Whether there are still the words of one state alone. */
  #alone: boolean;
  /** What was written, the last first. */
  readonly #pieces: Uint8Array[] = [];

  constructor(machine: Machine, numStreams: NumStreams) {
    this.#machine = machine;
    this.#numStreams = numStreams;
    this.#alone = numStreams > 1;
    machine.states.fill(0);
    machine.firstWord[0] = AT.wordsEnd;
  }

  /** Codes the `count` symbols of a chunk in the machine's memory; the number of symbols before them is a multiple of the streams'. */
  encode(source: 'Arrays' | 'Tables', count: number, numClasses = 0): void {
    const [one, all] = [1, this.#numStreams].map((n) => this.#machine.encoder(source, n as NumStreams));
    const run = (kernel: typeof one, nth: number, left: number, least: number, stop: number) =>
      kernel!(AT.states + STATE_BYTES * nth, left, least, stop, numClasses);
    let left = count;
    if (this.#alone) {
      const stop = AT.wordsEnd - 4 * (this.#numStreams - 1);
      left = run(one, 0, left, 0, stop);
      if (this.#machine.firstWord[0]! > stop) return;
      this.#split(left % this.#numStreams);
    }
    while (left % this.#numStreams > 0) left = run(one, (left - 1) % this.#numStreams, left, left - 1, 0);
    run(all, 0, left, 0, 0);
    this.#takeWords();
  }

  finish(): Uint8Array {
    const { states } = this.#machine;
    if (this.#numStreams > 1 && !this.#alone) this.#join();
    this.#takeWords();
    const [low, high] = states as unknown as [number, number];
    const numBytes = high > 0 ? 8 - (Math.clz32(high) >> 3) : 4 - (Math.clz32(low) >> 3);
    this.#pieces.push(this.#machine.bytes.slice(AT.states, AT.states + numBytes));
    return concatenated(this.#pieces.reverse());
  }

  /** The words so far begin the other states; the one that wrote them is the given one. */
  #split(nth: number): void {
    const { states, firstWord, bytes } = this.#machine;
    const alone = states.slice(0, 2);
    const words = new Uint32Array(bytes.buffer, firstWord[0], this.#numStreams - 1);
    states.set(alone, 2 * nth);
    words.forEach((word, k) => states.set([word, 1], 2 * ((nth + 1 + k) % this.#numStreams)));
    firstWord[0] = AT.wordsEnd;
    this.#alone = false;
  }

  /** Codes the other states into the first. */
  #join(): void {
    const { states, firstWord, symbols, distributions, bytes } = this.#machine;
    const encode = this.#machine.encoder('Arrays', 1);
    for (let k = this.#numStreams - 1; k > 0; k--) {
      const digits = digitsOf(states[2 * k + 1]!);
      digits.forEach(([value, bits], nth) => {
        symbols[nth] = value << (TOTAL_BITS - bits);
        distributions[nth] = 1 << (TOTAL_BITS - bits);
      });
      encode(AT.states, digits.length, 0, 0, 0);
      firstWord[0]! -= 4;
      new Uint32Array(bytes.buffer, firstWord[0], 1)[0] = states[2 * k]!;
    }
  }

  #takeWords(): void {
    const { firstWord, bytes } = this.#machine;
    this.#pieces.push(bytes.slice(firstWord[0], AT.wordsEnd));
    firstWord[0] = AT.wordsEnd;
  }
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
