import { UserError } from '../shared/errors.js';
import { Decoder } from '../shared/coding/decoder.js';
import { TOTAL } from '../shared/coding/format.js';
import { encodeSymbols } from '../shared/coding/symbols.js';
import { ClassTables } from '../shared/coding/tables.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import { findConstriction } from './peers/constriction.js';
import { atLeast, atMost, summarize, type Findings, type Row, type Target } from './report.js';

export interface CodingOptions {
  /** How many messages of 10^6 symbols are coded; of 3,072 symbols 20 times as many. */
  readonly rounds: number;
}

interface Message {
  readonly classes: Uint8Array;
  /** For messages of more than one. */
  readonly tables: Uint16Array | undefined;
  /** The information in its classes. */
  readonly bits: number;
}

interface Timed {
  /** Of the fastest of its `repeatsFor` times. */
  readonly seconds: { readonly encode: number; readonly decode: number };
  readonly bits: number;
}

const NUM_CLASSES = 256;
const LENGTHS = [3072, 1_000_000];
const SHORT_PER_LONG = 20;
/** What constriction's overhead is said to be at 3,072 symbols. */
const OVERHEAD_BITS = 50;

/** Symbols a second of coding, and bits over the information of what is coded, against constriction's rANS. */
export async function benchCoding(options: CodingOptions, say: (line: string) => void): Promise<Findings> {
  const peer = findConstriction();
  const one = madeUpFrequencies(1);
  const many = madeUpFrequencies(64);
  const theirs = typeof peer === 'string' ? undefined : peer.start();
  const rows: Row[] = [];
  const targets: Target[] = [];
  try {
    await theirs?.ask({ frequencies: [...one] });
    for (const length of LENGTHS) {
      const rounds = options.rounds * (length === LENGTHS[0] ? SHORT_PER_LONG : 1);
      say(`${length} symbols ...`);
      const messages = Array.from({ length: rounds }, (_, nth) => drawMessage(one, length, nth));
      const [ours, peers] = [[] as Timed[], [] as Timed[]];
      const coder = new ClassTables(one, NUM_CLASSES);
      for (const message of messages) {
        ours.push(throughTables(coder, message));
        if (theirs)
          peers.push(await theirs.ask<Timed>({ symbols: [...message.classes], repeats: repeatsFor(length) }));
      }
      const found = [ours, peers].map((timed) => (timed.length > 0 ? rowOf(timed, messages) : {}));
      rows.push({ what: `${length} symbols, one table`, ...found[0] });
      if (theirs) rows.push({ what: `${length} symbols, constriction`, ...found[1] });
      for (const way of ['encode', 'decode'] as const) {
        const median = (timed: Timed[]) => summarize(timed.map(({ seconds }) => seconds[way])).median;
        const ratio = theirs && median(peers) / median(ours);
        targets.push(atLeast(`times constriction's speed, ${way}, ${length} symbols`, 1, ratio));
      }
      targets.push(
        atMost(`bits over the information, ${length} symbols`, OVERHEAD_BITS, overhead(ours, messages)),
      );
      const others = messages.map((_, nth) => drawMessage(many, length, nth));
      const manyCoder = new ClassTables(many, NUM_CLASSES);
      const inTables = others.map((message) => throughTables(manyCoder, message));
      rows.push({ what: `${length} symbols, 64 tables`, ...rowOf(inTables, others) });
      const eachItsOwn = others.map((message) => symbolBySymbol(many, message));
      rows.push({ what: `${length} symbols, each its own`, ...rowOf(eachItsOwn, others) });
    }
  } finally {
    await theirs?.close();
  }
  return {
    method: [
      `Classes of ${NUM_CLASSES}, drawn from the frequencies that they are coded with, in 24 bits; bytes from classes and back. Millions of symbols a second, of the fastest of 33 or 2 times a message.`,
      '`64 tables`: a table drawn for each symbol. `each its own`: intervals given for each symbol, and `peek` and `take` in JavaScript (finding the class is not timed).',
      typeof peer === 'string'
        ? 'Peer: none.'
        : `Peer: constriction ${peer.version}, AnsCoder and a Categorical model of the same frequencies; one thread each, message by message in turn.`,
    ],
    rows,
    targets,
    notes: typeof peer === 'string' ? [peer] : [],
  };
}

/** Tables x classes. The rarest classes have the least frequency, as a network's do. */
function madeUpFrequencies(numTables: number): Uint32Array {
  const random = stream(numTables, PURPOSE.initial);
  return Uint32Array.from(
    Array.from({ length: numTables }, () => {
      const weights = Array.from({ length: NUM_CLASSES }, () => Math.exp(2 * random.normal()));
      const sum = weights.reduce((a, b) => a + b);
      const frequencies = weights.map((weight) => 1 + Math.floor((weight / sum) * (TOTAL - NUM_CLASSES)));
      frequencies[0]! += TOTAL - frequencies.reduce((a, b) => a + b);
      return frequencies;
    }).flat(),
  );
}

const startsOf = (frequencies: Uint32Array): Uint32Array => {
  let sum = 0;
  return frequencies.map((frequency, nth) => {
    if (nth % NUM_CLASSES === 0) sum = 0;
    return (sum += frequency) - frequency;
  });
};

function drawMessage(frequencies: Uint32Array, length: number, nth: number): Message {
  const random = stream(length, PURPOSE.sample, nth);
  const numTables = frequencies.length / NUM_CLASSES;
  const starts = startsOf(frequencies);
  const [classes, tables] = [new Uint8Array(length), new Uint16Array(length)];
  let bits = 0;
  for (let n = 0; n < length; n++) {
    const table = random.below(numTables);
    const slot = random.below(TOTAL);
    const first = table * NUM_CLASSES;
    let [drawn, end] = [first, first + NUM_CLASSES];
    while (end - drawn > 1) {
      const middle = (drawn + end) >> 1;
      if (starts[middle]! <= slot) drawn = middle;
      else end = middle;
    }
    tables[n] = table;
    classes[n] = drawn - first;
    bits += Math.log2(TOTAL / frequencies[drawn]!);
  }
  return { classes, tables: numTables > 1 ? tables : undefined, bits };
}

function throughTables(coder: ClassTables, { classes, tables }: Message): Timed {
  const { length } = classes;
  return timed(
    length,
    () => coder.encode(classes, tables),
    (bytes) => Buffer.from(coder.decode(bytes, length, tables)).equals(classes),
  );
}

function symbolBySymbol(table: Uint32Array, { classes, tables }: Message): Timed {
  const each = (values: Uint32Array) =>
    Uint32Array.from(classes, (nth, n) => values[(tables?.[n] ?? 0) * NUM_CLASSES + nth]!);
  const [starts, frequencies] = [each(startsOf(table)), each(table)];
  const decode = (bytes: Uint8Array) => {
    const decoder = new Decoder(bytes);
    let isSame = true;
    for (let n = 0; n < starts.length; n++) {
      const offset = decoder.peek() - starts[n]!;
      isSame &&= offset >= 0 && offset < frequencies[n]!;
      decoder.take(starts[n]!, frequencies[n]!);
    }
    decoder.finish();
    return isSame;
  };
  return timed(starts.length, () => encodeSymbols(starts, frequencies), decode);
}

/** How often a message is coded: a short one is a matter of microseconds. */
const repeatsFor = (length: number) => Math.max(2, Math.ceil(100_000 / length));

function timed(length: number, encode: () => Uint8Array, isDecoded: (bytes: Uint8Array) => boolean): Timed {
  const repeats = repeatsFor(length);
  const [encodeSeconds, bytes] = fastest(repeats, encode);
  const [decodeSeconds, isSame] = fastest(repeats, () => isDecoded(bytes));
  if (!isSame) throw new UserError('What was coded did not come back.');
  return { seconds: { encode: encodeSeconds, decode: decodeSeconds }, bits: 8 * bytes.length };
}

function fastest<Result>(repeats: number, run: () => Result): [seconds: number, result: Result] {
  let [least, result] = timeOnce(run);
  for (let nth = 1; nth < repeats; nth++) {
    const [seconds, again] = timeOnce(run);
    [least, result] = [Math.min(least, seconds), again];
  }
  return [least, result];
}

function timeOnce<Result>(run: () => Result): [seconds: number, result: Result] {
  const begun = performance.now();
  const result = run();
  return [(performance.now() - begun) / 1000, result];
}

function rowOf(all: readonly Timed[], messages: readonly Message[]): Row {
  const millions = (way: 'encode' | 'decode') =>
    summarize(all.map(({ seconds }, nth) => messages[nth]!.classes.length / seconds[way] / 1e6));
  return {
    'encode M/s': millions('encode'),
    'decode M/s': millions('decode'),
    'bits over': overhead(all, messages),
  };
}

function overhead(all: readonly Timed[], messages: readonly Message[]): number {
  return all.reduce((sum, { bits }, nth) => sum + bits - messages[nth]!.bits, 0) / all.length;
}
