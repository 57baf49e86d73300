import { CodingError } from './error.js';
import { Encoder } from './encoder.js';
import { TOTAL, type NumStreams } from './format.js';
import { CHUNK } from './layout.js';
import { Machine } from './machine.js';

let machine: Machine | undefined;

/**
 * Codes symbols that each have a distribution of their own, in the order in which a `Decoder` gives them back: symbol n is the
 * interval [starts[n], starts[n] + frequencies[n]) of 0..TOTAL-1.
 *
 * Throws CodingError for an interval that is empty or not inside, naming n.
 */
export function encodeSymbols(
  starts: Uint32Array,
  frequencies: Uint32Array,
  numStreams: NumStreams = 1,
): Uint8Array {
  for (let n = 0; n < starts.length; n++) checkInterval(n, starts[n]!, frequencies[n]!);
  machine ??= new Machine();
  const encoder = new Encoder(machine, numStreams);
  for (let end = starts.length, begin; end > 0; end = begin) {
    begin = Math.floor((end - 1) / CHUNK) * CHUNK;
    machine.symbols.set(starts.subarray(begin, end));
    machine.distributions.set(frequencies.subarray(begin, end));
    encoder.encode('Arrays', end - begin);
  }
  return encoder.finish();
}

function checkInterval(n: number, start: number, frequency: number): void {
  if (frequency === 0 || start + frequency > TOTAL)
    throw new CodingError(
      `Symbol ${n} can't be coded: frequency ${frequency} from ${start} on is not 1 or more within ${TOTAL}.`,
    );
}
