import { loadConfig } from '../shared/config/load.js';
import type { Dataset } from '../shared/data/dataset.js';
import { openDataset } from '../shared/data/open.js';
import { allocateClasses } from '../shared/method/classes.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import type { Findings } from './report.js';

export interface OrdersOptions {
  readonly config: string;
  readonly set: readonly string[];
  /** Longest context. */
  readonly order: number;
}

/** Random cuts that are counted of each training example: text is cut out of longer pieces. */
const CUTS = 16;

/**
 * What models of short contexts reach on a config's test split: order n predicts each variable from the n before it in its example. Bits per
 * dimension, to hold a trained model's bound against.
 */
export async function benchOrders(options: OrdersOptions, say: (line: string) => void): Promise<Findings> {
  const { config, path: file } = await loadConfig(options.config, options.set);
  const dataset = await openDataset(config.data, { baseFolder: file, fetch: true, report: say });
  const { numClasses, train, test, shape } = dataset;
  const numContext = config.data.context;
  const model = new ContextModel(numClasses, options.order);
  const example = allocateClasses(numClasses, shape[0] * shape[1] * shape[2]);
  const cuts = isCut(dataset) ? CUTS : 1;
  for (let i = 0; i < train.count; i++)
    for (let cut = 0; cut < cuts; cut++) {
      train.read(i, example, stream(0, PURPOSE.crop, cut, i));
      model.count(example.subarray(numContext));
    }
  const bits = new Float64Array(options.order + 1);
  for (let i = 0; i < test.count; i++) {
    test.read(i, example);
    model.price(example.subarray(numContext), bits);
  }
  const numScored = test.count * (example.length - numContext);
  return {
    method: [
      `${dataset.name}: ${train.count} training and ${test.count} test examples of ${example.length - numContext} variables, K = ${numClasses}.`,
      'Counts of the training split, smoothed by Witten and Bell into the next shorter context; examples apart.',
    ],
    rows: [...bits].map((value, order) => ({ order, 'bits per dimension': (value / numScored).toFixed(4) })),
    targets: [],
    notes: [],
  };
}

/** Whether reading an example again gives another part of a longer piece. */
function isCut({ train, shape, numClasses }: Dataset): boolean {
  const size = shape[0] * shape[1] * shape[2];
  const [first, ...others] = [0, 1, 2, 3].map((cut) => {
    const example = allocateClasses(numClasses, size);
    train.read(0, example, stream(1, PURPOSE.crop, cut));
    return example.join();
  });
  return others.some((other) => other !== first);
}

interface Counts {
  total: number;
  readonly of: Map<number, number>;
}

/** Contexts of every length up to `order`, each with how often it was followed by what. */
export class ContextModel {
  readonly #numClasses: number;
  readonly #contexts: readonly Map<number, Counts>[];

  constructor(numClasses: number, order: number) {
    this.#numClasses = numClasses;
    this.#contexts = Array.from({ length: order + 1 }, () => new Map<number, Counts>());
  }

  count(example: ArrayLike<number>): void {
    for (let v = 0; v < example.length; v++) {
      this.#eachContext(example, v, (context, order) => {
        let counts = this.#contexts[order]!.get(context);
        if (!counts) this.#contexts[order]!.set(context, (counts = { total: 0, of: new Map() }));
        counts.total++;
        counts.of.set(example[v]!, (counts.of.get(example[v]!) ?? 0) + 1);
      });
    }
  }

  /** Adds each order's bits for an example. */
  price(example: ArrayLike<number>, bits: Float64Array): void {
    for (let v = 0; v < example.length; v++) {
      let p = 1 / this.#numClasses;
      let longest = -1;
      this.#eachContext(example, v, (context, order) => {
        const counts = this.#contexts[order]!.get(context);
        if (counts) {
          const novel = counts.of.size;
          p = ((counts.of.get(example[v]!) ?? 0) + novel * p) / (counts.total + novel);
        }
        bits[order]! -= Math.log2(p);
        longest = order;
      });
      // At the beginning of an example there is no longer context.
      for (let order = longest + 1; order < bits.length; order++) bits[order]! -= Math.log2(p);
    }
  }

  /** Contexts before variable v, from the empty one on, as numbers. */
  #eachContext(example: ArrayLike<number>, v: number, visit: (context: number, order: number) => void): void {
    let context = 0;
    for (let order = 0; order < this.#contexts.length && order <= v; order++) {
      if (order > 0) context = context * this.#numClasses + example[v - order]!;
      visit(context, order);
    }
  }
}
