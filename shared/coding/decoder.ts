import { CodingError } from './error.js';
import { TOTAL, TOTAL_BITS, type NumStreams } from './format.js';

/**
 * Decodes a message symbol by symbol: `peek` gives the slot, the caller finds the symbol whose interval holds it and takes that. The
 * bytes are never read beyond their end: a damaged message gives wrong symbols and then an error from `finish`, unless the bytes are just
 * the message of other symbols (such as none, of those with slot 0), which a checksum of what was coded tells.
 *
 * Throws CodingError where no message begins like the bytes.
 */
export class Decoder {
  readonly #numStreams: NumStreams;
  /** Low and high word of each state. */
  readonly states: Uint32Array;
  /** The state that the next symbol is of. */
  #turn = 0;
  /** Whether the symbols go round the states; else they are all of one. */
  #goesRound = false;
  #words: DataView;
  /** Bytes of the words that are read. */
  #position = 0;

  constructor(bytes: Uint8Array, numStreams: NumStreams = 1) {
    const { length } = bytes;
    const stateBytes = length > 8 ? 5 + ((length - 5) % 4) : length;
    if (bytes[stateBytes - 1] === 0) throw damaged('its first state begins with a zero byte');
    this.#numStreams = numStreams;
    this.states = new Uint32Array(2 * numStreams);
    new Uint8Array(this.states.buffer).set(bytes.subarray(0, stateBytes));
    this.#words = viewOf(bytes.subarray(stateBytes));
    if (numStreams > 1 && length - stateBytes >= 4 * (numStreams - 1)) this.#split();
  }

  /** Whether all states are in use: what a kernel of as many streams can go on with. */
  get isComplete(): boolean {
    return this.#goesRound || this.#numStreams === 1;
  }

  /** The words not read yet. */
  get wordsLeft(): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.#words;
    return new Uint8Array(buffer, byteOffset + this.#position, byteLength - this.#position);
  }

  /** Says that so many bytes of `wordsLeft` were read. */
  skip(numBytes: number): void {
    this.#position += numBytes;
  }

  /** The slot of the next symbol, 0..TOTAL-1. */
  peek(): number {
    return this.states[2 * this.#turn]! & (TOTAL - 1);
  }

  /** Goes on to the next symbol. This one's interval [start, start + frequency) must hold the slot. */
  take(start: number, frequency: number): void {
    const [low, high] = [2 * this.#turn, 2 * this.#turn + 1];
    const { states } = this;
    const slot = states[low]! & (TOTAL - 1);
    // The product of 24 and 40 bits, from two that float64 holds exactly.
    const quotientLow = ((states[high]! & 0xff) << 8) | (states[low]! >>> TOTAL_BITS);
    const upper = frequency * (states[high]! >>> 8);
    const carried = Math.floor(upper / 0x1_0000);
    const lower = frequency * quotientLow + (slot - start) + (upper - carried * 0x1_0000) * 0x1_0000;
    states[low] = lower;
    states[high] = carried + Math.floor(lower / 0x1_0000_0000);
    if (states[high] === 0) this.#refill(low, high);
    if (this.#goesRound) this.#turn = (this.#turn + 1) % this.#numStreams;
  }

  /** Throws CodingError unless this is the end of a message. */
  finish(): void {
    if (this.#position < this.#words.byteLength) throw damaged('more was coded than was asked for');
    if (this.states[2 * this.#turn] !== 0 || this.states[2 * this.#turn + 1] !== 0)
      throw damaged('it does not end in the state that every message ends in');
  }

  #refill(low: number, high: number): void {
    if (this.#position === this.#words.byteLength) {
      if (!this.#goesRound) return;
      this.#join();
    }
    this.states[high] = this.states[low]!;
    this.states[low] = this.#nextWord();
  }

  #nextWord(): number {
    const word = this.#words.getUint32(this.#position, true);
    this.#position += 4;
    return word;
  }

  /** Has the other states decoded from the first. */
  #split(): void {
    for (let k = 1; k < this.#numStreams; k++) {
      if (this.#position === this.#words.byteLength) throw tooShort();
      this.states[2 * k] = this.#nextWord();
      const bits = this.#digit(5);
      const upper = this.#digit(Math.max(0, bits - 16));
      const lower = this.#digit(Math.min(bits, 16));
      this.states[2 * k + 1] = (1 << bits) | (upper << 16) | lower;
    }
    if (this.states[1] === 0) throw tooShort();
    this.#goesRound = true;
  }

  /** One of 2^bits equally frequent ones. */
  #digit(bits: number): number {
    const frequency = 1 << (TOTAL_BITS - bits);
    const digit = this.peek() >>> (TOTAL_BITS - bits);
    this.take(digit * frequency, frequency);
    return digit;
  }

  /** Makes words of the states that begin with them; the symbols left are all of the state whose turn it is. */
  #join(): void {
    const words = new Uint32Array(this.#numStreams - 1);
    for (let k = 1; k < this.#numStreams; k++) {
      const nth = (this.#turn + k) % this.#numStreams;
      if (this.states[2 * nth + 1] !== 1) throw tooShort();
      words[k - 1] = this.states[2 * nth]!;
    }
    this.#words = viewOf(new Uint8Array(words.buffer));
    this.#position = 0;
    this.#goesRound = false;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength);

const tooShort = () => damaged('it ends before its symbols do');

function damaged(how: string): CodingError {
  return new CodingError(
    `This is no message of these symbols: ${how}. It is damaged, or was coded by another model.`,
  );
}
