import { allocateClasses, type Classes } from '../method/classes.js';
import { Decoder } from './decoder.js';
import { Encoder } from './encoder.js';
import { CodingError } from './error.js';
import { TOTAL, TOTAL_BITS, numStreamsFor, type NumStreams } from './format.js';
import { AT, BUCKET_BYTES, CHUNK, ENTRY_BYTES, RECIPROCAL_OFFSET } from './layout.js';
import { Machine } from './machine.js';

/** Buckets of a table, log2: four a class, so that most slots are in a bucket of one class alone, within 512 kB. */
const bucketBitsFor = (numClasses: number) => Math.min(16, 2 + Math.ceil(Math.log2(numClasses)));

/**
 * Distributions over classes that many symbols share, and long messages of such symbols: `numStreamsFor` their length, else as
 * `encodeSymbols` codes them.
 */
export class ClassTables {
  readonly #numClasses: number;
  readonly #numTables: number;
  readonly #buckets: number;
  readonly #bucketBits: number;
  readonly #machine: Machine;
  /** The tables' memory, 32 bits each. */
  readonly #memory: Uint32Array;

  /**
   * `frequencies` is tables x classes, 1 to 65,536 classes and as many tables at most, each 1 or more, each table's sum TOTAL. Throws CodingError for others, naming
   * table and class.
   */
  constructor(frequencies: Uint32Array, numClasses: number) {
    this.#numClasses = numClasses;
    this.#numTables = frequencies.length / numClasses;
    this.#bucketBits = bucketBitsFor(numClasses);
    this.#buckets = AT.tables + frequencies.length * ENTRY_BYTES;
    const bucketsBytes = (this.#numTables * BUCKET_BYTES) << this.#bucketBits;
    this.#machine = new Machine(frequencies.length * ENTRY_BYTES + bucketsBytes);
    this.#memory = new Uint32Array(this.#machine.bytes.buffer);
    for (let table = 0; table < this.#numTables; table++)
      this.#fill(table, frequencies.subarray(table * numClasses, (table + 1) * numClasses));
  }

  /**
   * Codes classes, each by its table, or all by the first one. Throws CodingError for a class or table that isn't there, naming the
   * symbol's index.
   */
  encode(classes: Classes, tables?: Uint16Array): Uint8Array {
    const encoder = new Encoder(this.#machine, numStreamsFor(classes.length));
    for (let end = classes.length, begin; end > 0; end = begin) {
      begin = Math.floor((end - 1) / CHUNK) * CHUNK;
      const chunk = classes.subarray(begin, end);
      checkAll(chunk, this.#numClasses, 'class', begin);
      this.#machine.classes.set(chunk);
      this.#loadTables(tables, begin, end);
      encoder.encode('Tables', end - begin, this.#numClasses);
    }
    return encoder.finish();
  }

  /** The `count` classes of a message, each by its table. Throws CodingError where the bytes are no such message. */
  decode(bytes: Uint8Array, count: number, tables?: Uint16Array): Classes {
    const classes = allocateClasses(this.#numClasses, count);
    const numStreams = numStreamsFor(count);
    const decoder = new Decoder(bytes, numStreams);
    for (let begin = 0; begin < count; begin += CHUNK) {
      const chunk = classes.subarray(begin, begin + CHUNK);
      this.#loadTables(tables, begin, begin + chunk.length);
      const numDone = decoder.isComplete ? this.#decodeMost(decoder, numStreams, chunk.length) : 0;
      chunk.set(this.#machine.classes.subarray(0, numDone));
      for (let n = numDone; n < chunk.length; n++)
        chunk[n] = this.#decodeOne(decoder, this.#machine.tableOfEach[n]!);
    }
    decoder.finish();
    return classes;
  }

  /** By the kernel, into the machine's memory, until the words are all but used up. */
  #decodeMost(decoder: Decoder, numStreams: NumStreams, count: number): number {
    const { states, firstWord, bytes } = this.#machine;
    const words = decoder.wordsLeft.subarray(0, 4 * count);
    states.set(decoder.states);
    firstWord[0] = AT.words;
    bytes.set(words, AT.words);
    const decode = this.#machine.decoder(numStreams);
    const end = AT.words + words.length;
    const numDone = decode(
      count - (count % numStreams),
      end,
      this.#numClasses,
      this.#buckets,
      this.#bucketBits,
    );
    decoder.states.set(states.subarray(0, 2 * numStreams));
    decoder.skip(firstWord[0] - AT.words);
    return numDone;
  }

  #decodeOne(decoder: Decoder, table: number): number {
    const slot = decoder.peek();
    let [nth, end] = [0, this.#numClasses];
    while (end - nth > 1) {
      const middle = (nth + end) >> 1;
      if (this.#interval(table, middle)[0] <= slot) nth = middle;
      else end = middle;
    }
    decoder.take(...this.#interval(table, nth));
    return nth;
  }

  #interval(table: number, nth: number): [start: number, frequency: number] {
    const at = (AT.tables + (table * this.#numClasses + nth) * ENTRY_BYTES) / 4;
    const [low, high] = [this.#memory[at]!, this.#memory[at + 1]!];
    return [high >>> 8, (((high & 0xff) << 16) | (low >>> 16)) + 1];
  }

  #loadTables(tables: Uint16Array | undefined, begin: number, end: number): void {
    if (tables === undefined) return void this.#machine.tableOfEach.fill(0, 0, end - begin);
    const chunk = tables.subarray(begin, end);
    checkAll(chunk, this.#numTables, 'table', begin);
    this.#machine.tableOfEach.set(chunk);
  }

  #fill(table: number, frequencies: Uint32Array): void {
    const reciprocals = new Float64Array(this.#memory.buffer);
    let [start, slot] = [0, 0];
    frequencies.forEach((frequency, nth) => {
      if (frequency === 0)
        throw new CodingError(`Class ${nth} of table ${table} can't be coded: its frequency is 0.`);
      const at = AT.tables + (table * this.#numClasses + nth) * ENTRY_BYTES;
      const entry = [(((frequency - 1) & 0xffff) << 16) | nth, (start << 8) | ((frequency - 1) >>> 16)];
      this.#memory.set(entry, at / 4);
      reciprocals[(at + RECIPROCAL_OFFSET) / 8] = 1 / frequency;
      start += frequency;
      // A bucket has the entry of the class that its first slot is of.
      for (; slot < Math.min(start, TOTAL); slot += TOTAL >> this.#bucketBits) {
        const bucket = (table << this.#bucketBits) + (slot >> (TOTAL_BITS - this.#bucketBits));
        this.#memory.set(entry, (this.#buckets + bucket * BUCKET_BYTES) / 4);
      }
    });
    if (start !== TOTAL)
      throw new CodingError(`The frequencies of table ${table} sum to ${start}, not to ${TOTAL}.`);
  }
}

/** A type of numbers that are all below the limit is not looked through. */
function checkAll(values: Classes, limit: number, what: string, first: number): void {
  if (2 ** (8 * values.BYTES_PER_ELEMENT) <= limit) return;
  for (let n = 0; n < values.length; n++)
    if (values[n]! >= limit)
      throw new CodingError(`Symbol ${first + n} can't be coded: there is no ${what} ${values[n]}.`);
}
