import { Kernel, TYPE, addI32, belowI32, i32, operation, repeatWhile } from '../../wasm/assembler.js';
import { I32, onlyIf } from '../../wasm/integers.js';
import { I32x4, loadAt } from '../../wasm/quads.js';
import { scratchOf } from './scratch.js';

/** Values among which the largest are chosen: their numbers take 16 bits. */
export const BLOCK = 65_536;

/** One of so many values is looked at first. */
const SAMPLED = 32;
/** Bits of magnitudes that are not finite begin here. */
const INFINITE = 0x7f800000;

/** Addresses in bytes. */
interface Kernels {
  /** Lists the numbers of the values whose magnitudes' bits are at least `least`, ascending; returns the list's end. */
  collect(source: number, end: number, least: number, list: number): number;
}

const shiftRight = operation(0x76);

function collectKernel(): Kernel {
  const kernel = new Kernel('collect', TYPE.i32);
  const [source, end, least, list] = kernel.params(4, TYPE.i32);
  const [number, found] = kernel.locals(2, TYPE.i32);
  const magnitudes = I32x4.and(loadAt(source.value, 0), I32x4.of(0x7fffffff));
  const lanes = [0, 1, 2, 3].flatMap((lane) => [
    I32.store(list.value, addI32(number.value, i32(lane))),
    list.set(addI32(list.value, I32.shiftLeft(I32.and(shiftRight(found.value, i32(lane)), i32(1)), i32(2)))),
  ]);
  kernel.body = [
    ...repeatWhile(
      belowI32(source.value, end.value),
      found.set(I32x4.highestBits(I32x4.atLeast(magnitudes, I32x4.splat(least.value)))),
      onlyIf(found.value, ...lanes),
      number.set(addI32(number.value, i32(4))),
      source.set(addI32(source.value, i32(16))),
    ),
    ...list.value,
  ];
  return kernel;
}

const LIST = 4 * BLOCK;

function makeScratch() {
  // A vector of the list may be written beyond its end.
  const { memory, kernels } = scratchOf<Kernels>([collectKernel()], LIST + 4 * BLOCK + 16);
  return {
    values: new Float32Array(memory.buffer, 0, BLOCK),
    words: new Uint32Array(memory.buffer, 0, BLOCK),
    list: new Uint32Array(memory.buffer, LIST, BLOCK),
    collect: (length: number, least: number) =>
      (kernels.collect(0, 16 * Math.ceil(length / 4), least, LIST) - LIST) / 4,
  };
}

let shared: ReturnType<typeof makeScratch> | undefined;
const BITS = new Uint32Array(BLOCK);

/**
 * The numbers of the `count` values of largest magnitude, ascending; of equals the first. Undefined where one is not finite.
 *
 * @param block of BLOCK values at most
 */
export function largestOf(block: Float32Array, count: number): Uint32Array | undefined {
  const { values, words, list, collect } = (shared ??= makeScratch());
  const { length } = block;
  values.set(block);
  // What fills the last vector is below all.
  values.fill(0, length, length + 3);
  // A sample tells about where the threshold is; where it misleads, all are candidates.
  let numCandidates = collect(length, sampledThreshold(words, length, (2 * count) / length));
  if (numCandidates < count) numCandidates = collect(length, 0);
  const candidates = list.subarray(0, numCandidates).filter((number) => number < length);
  for (const [nth, number] of candidates.entries()) {
    BITS[nth] = words[number]! & 0x7fffffff;
    if (BITS[nth]! >= INFINITE) return undefined;
  }
  const { threshold, numEqual } = thresholdOf(BITS.subarray(0, candidates.length), count);
  let equals = numEqual;
  return candidates.filter((_, nth) => BITS[nth]! > threshold || (BITS[nth] === threshold && equals-- > 0));
}

/** The bits of a magnitude that about this share of the values reach. */
function sampledThreshold(words: Uint32Array, length: number, share: number): number {
  const sample = new Uint32Array(Math.ceil(length / SAMPLED));
  for (let nth = 0; nth < sample.length; nth++) sample[nth] = words[nth * SAMPLED]! & 0x7fffffff;
  const count = Math.ceil(share * sample.length) + 8;
  return count >= sample.length ? 0 : Math.min(INFINITE, thresholdOf(sample, count).threshold);
}

const HISTOGRAM = new Uint32Array(2048);
/** The digits of 31 bits, the highest first. */
const DIGITS = [
  { shift: 20, digit: 0x7ff },
  { shift: 9, digit: 0x7ff },
  { shift: 0, digit: 0x1ff },
];

/** The `count`-th largest of these bits, found digit by digit, and how many that equal it are among the `count` largest. */
function thresholdOf(bits: Uint32Array, count: number): { threshold: number; numEqual: number } {
  let numEqual = count;
  let [threshold, known] = [0, 0];
  for (const { shift, digit } of DIGITS) {
    HISTOGRAM.fill(0);
    for (let i = 0; i < bits.length; i++)
      if ((bits[i]! & known) === threshold) HISTOGRAM[(bits[i]! >>> shift) & digit]!++;
    let value = digit;
    while (HISTOGRAM[value]! < numEqual) numEqual -= HISTOGRAM[value--]!;
    threshold |= value << shift;
    known |= digit << shift;
  }
  return { threshold, numEqual };
}
