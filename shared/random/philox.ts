/** What a stream of draws is for: streams of different purposes never share a draw. */
export const PURPOSE = {
  order: 0,
  timeStep: 1,
  dropout: 2,
  augment: 3,
  shuffle: 4,
  initial: 5,
  sample: 6,
  evaluationOrder: 7,
  evaluationTimeStep: 8,
  crop: 9,
  codingOrder: 10,
  exchange: 11,
} as const;

export type Purpose = (typeof PURPOSE)[keyof typeof PURPOSE];

/**
 * The draws named by (seed, purpose, a, b), such as (seed, order, step, position in the batch): the same wherever and
 * whenever they are drawn. Each of the four is a 32-bit word.
 */
export function stream(seed: number, purpose: Purpose, a = 0, b = 0): Random {
  return new Random(seed, purpose, a, b);
}

/** One stream of draws, in order. Made by `stream`. */
export class Random {
  readonly #key: readonly [number, number, number, number];
  readonly #words = new Uint32Array(4);
  #block = 0;
  /** Words of the block that are used up. */
  #numUsed = 4;
  #spareNormal: number | undefined;

  constructor(seed: number, purpose: number, a: number, b: number) {
    this.#key = [seed, purpose, a, b];
  }

  /** 0..2^32-1 */
  uint32(): number {
    if (this.#numUsed === 4) {
      const [seed, purpose, a, b] = this.#key;
      philox4x32(this.#block++, a, b, 0, seed, purpose, this.#words);
      this.#numUsed = 0;
    }
    return this.#words[this.#numUsed++]!;
  }

  /** In [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** 0..n-1 without bias, for 1 <= n <= 2^32. */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const word = this.uint32();
      if (word < limit) return word % n;
    }
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /**
   * Standard Gumbel, -log(-log u), with u inside (0, 1) so that it is always finite. Of a draw that is less than `least` no
   * more than that need be said: -Infinity, without the logarithms.
   */
  gumbel(least = -Infinity): number {
    const word = this.uint32();
    return GUMBEL_BOUNDS[word >>> 24]! < least ? -Infinity : gumbelOf(word);
  }

  /** In (0, 1). */
  inside(): number {
    return insideOf(this.uint32());
  }
}

function insideOf(word: number): number {
  return (word + 0.5) / 2 ** 32;
}

function gumbelOf(word: number): number {
  return -Math.log(-Math.log(insideOf(word)));
}

/** By a word's highest byte, what its Gumbel draw does not exceed; 1e-9 is more than logarithms are off. */
const GUMBEL_BOUNDS = Float64Array.from(
  { length: 256 },
  (_, byte) => gumbelOf((byte + 1) * 2 ** 24 - 1) + 1e-9,
);

/**
 * Philox4x32-10, the counter-based generator of Salmon et al. (SC 2011): four words from a counter of four words and a
 * key of two.
 */
export function philox4x32(
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
  into: Uint32Array,
): void {
  let [a, b, c, d] = [counter0, counter1, counter2, counter3];
  let [k0, k1] = [key0, key1];
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(0xd2511f53, a);
    const low1 = Math.imul(0xcd9e8d57, c);
    const high0 = multiplyHigh(0xd2511f53, a);
    const high1 = multiplyHigh(0xcd9e8d57, c);
    a = high1 ^ b ^ k0;
    b = low1;
    c = high0 ^ d ^ k1;
    d = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  into[0] = a;
  into[1] = b;
  into[2] = c;
  into[3] = d;
}

/** The upper 32 bits of the product of two unsigned 32-bit words, from exact products of their halves. */
function multiplyHigh(x: number, y: number): number {
  const [x0, x1, y0, y1] = [x & 0xffff, x >>> 16, y & 0xffff, y >>> 16];
  const middle = x1 * y0 + ((x0 * y0) >>> 16);
  const carry = x0 * y1 + (middle & 0xffff);
  return x1 * y1 + (middle >>> 16) + (carry >>> 16);
}
