import { Decoder } from '../coding/decoder.js';
import { CodingError } from '../coding/error.js';
import { classAtSlot, intervalOf } from '../coding/frequencies.js';
import { encodeSymbols } from '../coding/symbols.js';
import type { ModelConfig } from '../config/schema.js';
import type { Engine } from '../engine/engine.js';
import { allocateClasses, type Classes } from '../method/classes.js';
import { PURPOSE, stream } from '../random/philox.js';
import { lastWhereAbsent, positionsAbsent } from './absent.js';
import { oneByOne, type Picker } from './choices.js';
import { stageMapOf, type ModelDescription } from './description.js';
import { ExampleGenerator } from './generator.js';
import { checkExamples, exampleSize } from './inputs.js';
import { drawOrders } from './sample.js';

/** What encoder and decoder must agree on. */
export interface CodingCall {
  readonly parameters: Float32Array;
  /** Of the order, one for all examples. */
  readonly seed: number;
  /** Steps at which the network is called. */
  readonly policy: Int32Array;
  /** Index of the first example; absent: 0. */
  readonly first?: number;
  /** For each variable of each example 1 where it is left out: not coded, and of class 0 when decoded. Absent: none is. */
  readonly absent?: Uint8Array;
  /** For each example the variables of its context, which are told and not coded. Absent: of class 0. */
  readonly context?: Classes;
  /** After each network call. */
  readonly onCall?: () => void;
}

export interface EncodingCall extends CodingCall {
  /** One after another; what they have for context and left-out variables does not matter. */
  readonly examples: Classes;
  readonly count: number;
}

export interface DecodingCall extends CodingCall {
  /** One an example. */
  readonly streams: readonly Uint8Array[];
}

/**
 * Codes examples losslessly by a model (section 4), each into a stream of its own, call by call of a policy in an order drawn
 * from the seed. Decoding runs the same network calls on the same engine and batch. The operations of a network may give other bits in
 * another row of a batch: example i is in row i modulo the batch in both, whichever of the others are coded with it.
 */
export class ExampleCoder {
  readonly #description: ModelDescription;
  readonly #generator: ExampleGenerator;
  readonly #batch: number;
  readonly #coarsen: (x: number, r: number) => number;

  private constructor(
    description: ModelDescription,
    config: ModelConfig,
    generator: ExampleGenerator,
    batch: number,
  ) {
    this.#description = description;
    this.#generator = generator;
    this.#batch = batch;
    this.#coarsen = stageMapOf(config, description.numClasses).coarsen;
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<ExampleCoder> {
    const generator = await ExampleGenerator.create(engine, description, config, batch);
    return new ExampleCoder(description, config, generator, batch);
  }

  /** One stream an example. Throws UserError where the examples do not fit the model or its outputs are not finite. */
  async encode(call: EncodingCall): Promise<Uint8Array[]> {
    const { examples, count } = call;
    const { numStages } = this.#description;
    const size = exampleSize(this.#description);
    checkExamples(examples, count, this.#description);
    const streams: Uint8Array[] = [];
    for (const { begin, end } of this.#batches(count)) {
      const starts = Array.from({ length: end - begin }, (): number[] => []);
      const frequencies = starts.map((): number[] => []);
      await this.#run(call, begin, end, (cumulative, { nth, places }, variable) => {
        const x = examples[(begin + nth) * size + variable]!;
        const n = cumulative.indexOf(this.#coarsen(x, numStages - 1 - places[0]!.stage));
        const { start, frequency } = intervalOf(cumulative, n);
        starts[nth]!.push(start);
        frequencies[nth]!.push(frequency);
        return n;
      });
      starts.forEach((of, nth) =>
        streams.push(encodeSymbols(Uint32Array.from(of), Uint32Array.from(frequencies[nth]!))),
      );
    }
    return streams;
  }

  /**
   * The examples of streams, one after another. Throws CodingError naming the example where a stream is damaged, or was coded otherwise, and does
   * not end with the example; UserError where the outputs are not finite. Streams that are wrong may give wrong examples as well.
   */
  async decode(call: DecodingCall): Promise<Classes> {
    const { streams, first = 0 } = call;
    const size = exampleSize(this.#description);
    const examples = allocateClasses(this.#description.numClasses, streams.length * size);
    for (const { begin, end } of this.#batches(streams.length)) {
      const decoders = streams
        .slice(begin, end)
        .map((bytes, nth) => naming(first + begin + nth, () => new Decoder(bytes)));
      const decoded = await this.#run(call, begin, end, (cumulative, { nth }) => {
        const n = classAtSlot(cumulative, decoders[nth]!.peek());
        const { start, frequency } = intervalOf(cumulative, n);
        decoders[nth]!.take(start, frequency);
        return n;
      });
      decoders.forEach((decoder, nth) => naming(first + begin + nth, () => decoder.finish()));
      examples.set(decoded, begin * size);
    }
    return examples;
  }

  *#batches(count: number): Iterable<{ readonly begin: number; readonly end: number }> {
    for (let begin = 0; begin < count; begin += this.#batch)
      yield { begin, end: Math.min(begin + this.#batch, count) };
  }

  /** Generates examples begin..end-1 of a call, a batch at most. */
  #run(call: CodingCall, begin: number, end: number, pick: Picker): Promise<Classes> {
    const { parameters, policy, seed, first = 0, absent, context, onCall } = call;
    const { numClasses, numContext, numPositions } = this.#description;
    const size = exampleSize(this.#description);
    const drawn = drawOrders(stream(seed, PURPOSE.codingOrder), this.#description);
    const examples = allocateClasses(numClasses, (end - begin) * size);
    const orders: Int32Array[][] = [];
    const ends: number[] = [];
    for (let i = begin; i < end; i++) {
      if (context) examples.set(context.subarray(i * numContext, (i + 1) * numContext), (i - begin) * size);
      const variables = absent?.subarray(i * size, (i + 1) * size);
      const leftOut = variables && positionsAbsent(variables, first + i, this.#description);
      orders.push(leftOut ? drawn.map((order) => lastWhereAbsent(order, leftOut)) : drawn);
      ends.push(leftOut ? leftOut.reduce((count, one) => count - one, numPositions) : numPositions);
    }
    return this.#generator.run({
      parameters,
      policy,
      orders,
      ends,
      choose: oneByOne(pick),
      given: { examples, numGiven: 0 },
      firstRow: (first + begin) % this.#batch,
      ...(onCall && { onStep: () => onCall() }),
    });
  }
}

function naming<T>(example: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CodingError)) throw error;
    throw new CodingError(`Example ${example}: ${error.message}`, undefined, { cause: error });
  }
}
