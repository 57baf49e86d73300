/**
 * The format of a coded message: range asymmetric numeral systems (rANS; Duda, arXiv:1311.2540) with states of 64 bits, words of 32
 * and frequencies that sum to TOTAL = 2^24. All numbers are little-endian. How many symbols there are, their distributions
 * and the number of streams N are known to the decoder; they are not part of the message.
 *
 * A symbol is the interval [start, start + frequency) of the slots 0..TOTAL-1, 1 <= frequency <= TOTAL. To decode one from a state x:
 * its slot is x mod TOTAL, the symbol is the one whose interval holds the slot, and then
 *
 *     x <- frequency * floor(x / TOTAL) + slot - start
 *     if x < 2^32 and there is a word left: x <- 2^32 * x + the next word
 *
 * The encoder does the inverse from the last symbol to the first, beginning with x = 0: before it codes a symbol into an x of
 * frequency * 2^40 or more, it writes the low word of x and divides x by 2^32. So the decoder ends with x = 0 and no word
 * left, and everything else is no message. While there are words, x is 2^32 or more between symbols.
 *
 * One stream (N = 1). The message is the encoder's last x without its leading zero bytes, then the words, the one written last
 * first. Where it has L > 8 bytes, x takes 5 + (L - 5) mod 4 of them, else all; x's highest byte is not 0. The empty message has none.
 *
 * N streams. Symbol n is coded into state n mod N; they share the words. To waste nothing at either end,
 *
 * - the message ends (and the encoder begins) with one state. When a state falls below 2^32 and no word is left, the others are in
 *   [2^32, 2^33): their low words, in the order of the states after this one (this one's index + 1, + 2, ... mod N), are the words
 *   to read next, and all symbols from here on are of this state. In the encoder: when one state has written N - 1 words, they
 *   begin the other states;
 * - the message begins as one of one stream, with state 0. Where N - 1 words or more follow it, state k of 1..N-1 in turn is: its low
 *   word the next word; its high word decoded from state 0 as three symbols of equal frequencies: the high word's number of bits less 1
 *   (one of 32), then of its bits b below the leading one the upper max(0, b - 16) and the lower min(b, 16). Where fewer
 *   follow, the message was too short for N states and state 0 has all symbols.
 *
 * Each sequence of symbols has one such form, and what is in no such form is refused. Over the information in its symbols a message
 * takes up to 24 bits (the first symbol coded takes 24, however frequent it is), what is left of a byte, and 5 bits for each stream
 * beyond the first.
 */
export const TOTAL_BITS = 24;
export const TOTAL = 1 << TOTAL_BITS;
export const WORD_BITS = 32;

export type NumStreams = 1 | 2 | 4;

/** What a message of symbols over tables is coded in: streams cost 5 bits each and are the faster the more they are. */
export function numStreamsFor(numSymbols: number): NumStreams {
  if (numSymbols < 1024) return 1;
  return numSymbols < 65_536 ? 2 : 4;
}

/** A word of `bits` bits below its leading one, as the three digits that it is coded as: [value, width in bits] each. */
export function digitsOf(word: number): readonly (readonly [number, number])[] {
  const bits = 31 - Math.clz32(word);
  const [upper, lower] = [Math.max(0, bits - 16), Math.min(bits, 16)];
  return [
    [bits, 5],
    [(word >>> 16) & ((1 << upper) - 1), upper],
    [word & ((1 << lower) - 1), lower],
  ];
}
