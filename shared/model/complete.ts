import type { ModelConfig } from '../config/schema.js';
import type { Engine } from '../engine/engine.js';
import { UsageError } from '../errors.js';
import { allocateClasses, type Classes } from '../method/classes.js';
import { drawOrder, orderInSequence } from '../method/orders.js';
import type { Span } from '../method/span.js';
import { quantile } from '../outputs/cumulative.js';
import { PURPOSE, stream, type Random } from '../random/philox.js';
import { oneByOne } from './choices.js';
import type { ModelDescription } from './description.js';
import { ExampleGenerator, type Chooser, type State } from './generator.js';
import { exampleSize } from './inputs.js';

/**
 * 1 for each place (pixel, character or sample) after the context that is known, 0 for each that is to be filled in. Places beyond
 * its length are left out: neither known nor generated, which a model without stages can do.
 */
export type Mask = Uint8Array;

export interface CompleteCall {
  readonly parameters: Float32Array;
  readonly seed: number;
  /** Inputs, one after another, of whose unknown places nothing is read. */
  readonly examples: Classes;
  /** Of all inputs. */
  readonly mask: Mask;
  /** Completions of each input. */
  readonly num: number;
  /** Steps at which the network is called, within the span of the mask (`spanOf`). */
  readonly policy: Int32Array;
  /** After call j for a batch: its first completion's index in the result, and the examples so far. */
  readonly onStep?: (j: number, first: number, states: readonly State[]) => void;
}

export interface Completions {
  /** One after another: the first one of each input, then the second of each. What is left out is of class 0. */
  readonly examples: Classes;
  /** Of each, given what is known, in bits (base 2, at most 0): of the order in which it was drawn, under the policy, over all stages. */
  readonly logLikelihoods: Float64Array;
}

/** Fills in what is unknown of examples. */
export class Completer {
  readonly #description: ModelDescription;
  readonly #generator: ExampleGenerator;
  readonly #batch: number;

  private constructor(description: ModelDescription, generator: ExampleGenerator, batch: number) {
    this.#description = description;
    this.#generator = generator;
    this.#batch = batch;
  }

  /** Throws EngineError where the engine can't run the model. */
  static async create(
    engine: Engine,
    description: ModelDescription,
    config: ModelConfig,
    batch: number,
  ): Promise<Completer> {
    return new Completer(
      description,
      await ExampleGenerator.create(engine, description, config, batch),
      batch,
    );
  }

  /**
   * Given the batch and the number of inputs, a completion is a function of (seed, its index), however many there are. Where nothing is
   * known, it is the sample of that index.
   */
  async run(call: CompleteCall): Promise<Completions> {
    const { parameters, seed, examples: inputs, mask, num, policy, onStep } = call;
    const { numClasses } = this.#description;
    const size = exampleSize(this.#description);
    const { begin, end } = spanOf(mask, this.#description);
    const numInputs = inputs.length / size;
    const count = num * numInputs;
    const examples = allocateClasses(numClasses, count * size);
    const logLikelihoods = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const input = i % numInputs;
      examples.set(inputs.subarray(input * size, (input + 1) * size), i * size);
    }
    for (let first = 0; first < count; first += this.#batch) {
      const length = Math.min(this.#batch, count - first);
      const batch = examples.subarray(first * size, (first + length) * size);
      const randoms = Array.from({ length }, (_, nth) => stream(seed, PURPOSE.sample, first + nth));
      const generated = await this.#generator.run({
        parameters,
        policy,
        orders: randoms.map((random) => drawCompletionOrders(random, mask, this.#description)),
        choose: drawnAndScored(randoms, logLikelihoods.subarray(first)),
        given: { examples: batch, numGiven: begin },
        ends: randoms.map(() => end),
        ...(onStep && { onStep: (j: number, states: readonly State[]) => onStep(j, first, states) }),
      });
      checkKept(batch, generated, mask, this.#description);
      batch.set(generated);
    }
    return { examples, logLikelihoods };
  }
}

/** The times of each stage at which a mask's unknown places are generated. */
export function spanOf(mask: Mask, description: ModelDescription): Span {
  const numKnown = mask.reduce((sum, known) => sum + known, 0);
  const perPlace = positionsPerPlace(description);
  return { begin: numKnown * perPlace, end: mask.length * perPlace };
}

/**
 * Throws UsageError where nothing is unknown, where a model left to right would have to know what comes later, and where one with
 * stages would have to leave something out.
 */
export function checkCompletable(mask: Mask, description: ModelDescription): void {
  const { networkShape, numStages, numPositions } = description;
  const gap = mask.indexOf(0);
  if (gap < 0) throw new UsageError('nothing of the input is unknown, so that there is nothing to fill in');
  const later = mask.indexOf(1, gap);
  if (networkShape.factorization === 'left-to-right' && later >= 0)
    throw new UsageError(
      `this model generates from left to right and can only go on after a known beginning: ${gap} is unknown, but ${later} ` +
        `is known (counted from 0). Leave unknown all from ${gap} on, or take a model of kind oa`,
    );
  const numPlaces = numPositions / positionsPerPlace(description);
  if (numStages > 1 && mask.length < numPlaces)
    throw new UsageError(
      `this model generates in stages and needs all of an example's ${numPlaces} characters: the input has ${mask.length}. ` +
        'Add gaps at its end, which are filled in too',
    );
}

/**
 * An order a stage: what is known, then what is not, then what is left out; each of these at random, for a permuted network reads what is
 * known in its order too. All in sequence where the model generates left to right.
 */
export function drawCompletionOrders(
  random: Random,
  mask: Mask,
  description: ModelDescription,
): Int32Array[] {
  const { numStages, numPositions, networkShape } = description;
  const sequence = orderInSequence(numPositions);
  if (networkShape.factorization === 'left-to-right') return [sequence];
  const { begin, end } = spanOf(mask, description);
  const perPlace = positionsPerPlace(description);
  const positionsOf = (value: number | undefined) =>
    sequence.filter((position) => mask[Math.floor(position / perPlace)] === value);
  const parts = [
    { positions: positionsOf(0), first: begin },
    { positions: positionsOf(undefined), first: end },
    { positions: positionsOf(1), first: 0 },
  ];
  return Array.from({ length: numStages }, () => {
    const order = new Int32Array(numPositions);
    for (const { positions, first } of parts) {
      const drawn = drawOrder(random, positions.length);
      positions.forEach((position, i) => (order[position] = first + drawn[i]!));
    }
    return order;
  });
}

/** Draws as samples are drawn, and adds the log-probability of each class, bits, to that of its example. */
function drawnAndScored(randoms: readonly Random[], logLikelihoods: Float64Array): Chooser {
  return oneByOne((cumulative, { nth }) => {
    const n = quantile(cumulative, randoms[nth]!.inside());
    logLikelihoods[nth]! += Math.log2(cumulative.at(n + 1) - cumulative.at(n));
    return n;
  });
}

/** Positions of an order that are one place: a pixel's channels, where they are generated by themselves. */
function positionsPerPlace({ shape, variablesPerPosition }: ModelDescription): number {
  return shape[2] / variablesPerPosition;
}

/** What is known must come out bit for bit. */
function checkKept(given: Classes, generated: Classes, mask: Mask, description: ModelDescription): void {
  const { shape, numContext } = description;
  const size = exampleSize(description);
  given.forEach((x, i) => {
    const place = Math.floor(((i % size) - numContext) / shape[2]);
    if (mask[place] === 1 && generated[i] !== x)
      throw new Error(`variable ${i % size} was ${x} and known, but came out as ${generated[i]}`);
  });
}
