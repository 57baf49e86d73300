import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { fromRows, toRows } from './rows.js';

/** Locations of a map [1,C,1,N] as sequences, one after another, and how each takes from its own. */
export interface Sequences {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  /** Each location takes from itself and those before it only. */
  readonly causal: boolean;
  /** What weights are multiplied by, [batch,heads,length,length]. */
  readonly factors?: Value;
}

/** Scores that CPUs work on together: few enough to stay in a core's cache from one operation to the next. */
const SCORES_TOGETHER = 2 ** 18;
/** Its exponential is 0. */
const LEAST_SCORE = -1e30;

/** query, key, value [1,C,1,N] -> [1,C,1,N], softmax over the locations of a sequence, one head after another. On CPUs. */
export function sequenceAttention(
  b: Builder,
  query: Value,
  key: Value,
  value: Value,
  sequences: Sequences,
): Value {
  return fromRows(b, mixedRows(b, query, key, value, sequences), query.shape[3]!);
}

/** [batch*length,C] */
function mixedRows(b: Builder, query: Value, key: Value, value: Value, sequences: Sequences): Value {
  const parts = new Parts(b, sequences, query);
  const [queries, keys, values] = [query, key, value].map((x) => parts.of(toRows(b, x)));
  const mixed = queries!.map((q, i) => {
    const w = parts.weights(q, keys![i]!, parts.scale);
    return parts.product(parts.kept(w, i), values![i]!);
  });
  return parts.joined(mixed);
}

/**
 * The gradients of query, key and value. The weights are kept since the forward pass where they take no more than other
 * maps do, else made again. Of what an operation needs, ONNX Runtime makes first what was recorded last: hence one part
 * after another.
 */
export function sequenceAttentionGradients(
  b: Builder,
  dy: Value,
  query: Value,
  key: Value,
  value: Value,
  sequences: Sequences,
): [Value, Value, Value] {
  const { heads, length, factors } = sequences;
  const parts = new Parts(b, sequences, query);
  const [queries, keys, values, ds] = [query, key, value, dy].map((x) => parts.of(toRows(b, x)));
  // dScores = w * (dW - sum of w * dW), and that sum over locations is one of dy * y over channels.
  const y = mixedRows(b, query, key, value, sequences);
  const perHead = [y.shape[0]!, heads, y.shape[1]! / heads];
  const products = b.reshape(b.mul(b.slice(toRows(b, dy), [0, 0], y.shape), y), perHead);
  const totals = parts.of(b.unary('Neg', b.sum(products, [2])), 1);
  const isKept = length <= 4 * parts.size;
  const gradients = queries!.map((q, i) => {
    const [k, v, d, total] = [keys![i]!, values![i]!, ds![i]!, totals[i]!];
    const w = isKept
      ? parts.weights(q, k, parts.scale)
      : parts.weights(b.mul(q, b.scalar(parts.scale)), k, 1);
    const dScores = factors
      ? b.add(b.mul(parts.kept(w, i), parts.scores(d, v)), b.mul(w, parts.byHead(total)))
      : // As one more channel of the product that gives dW, the sum costs no pass over all pairs of locations.
        b.mul(parts.scores(b.concat([d, total], 2), b.concat([v, b.filled(total.shape, 1)], 2)), w);
    return [
      parts.product(dScores, k, { alpha: parts.scale }),
      parts.product(dScores, q, { alpha: parts.scale, transposeA: true }),
      parts.product(parts.kept(w, i), d, { transposeA: true }),
    ];
  });
  const gradientOf = (n: number) =>
    fromRows(b, parts.joined(gradients.map((each) => each[n]!)), query.shape[3]!);
  return [gradientOf(0), gradientOf(1), gradientOf(2)];
}

/**
 * Rows [N,C] in parts of some sequences, or of some heads of one, and products of these. A part of one sequence is [length,heads,size],
 * whose products take it as it is; one of more is [sequences*heads,length,size]. Results are [...heads,length,size or length].
 */
class Parts {
  readonly size: number;
  readonly scale: number;
  readonly #b: Builder;
  readonly #sequences: Sequences;
  /** Sequences of a part, and heads. */
  readonly #together: number;
  readonly #heads: number;
  readonly #factors: readonly Value[] | undefined;

  constructor(b: Builder, sequences: Sequences, { shape }: Value) {
    const { batch, heads, length, factors } = sequences;
    this.#b = b;
    this.#sequences = sequences;
    this.size = shape[1]! / heads;
    this.scale = 1 / Math.sqrt(this.size);
    const rows = Math.max(1, Math.floor(SCORES_TOGETHER / length ** 2));
    this.#together = Math.min(batch, Math.max(1, Math.floor(rows / heads)));
    this.#heads = Math.min(heads, rows);
    this.#factors =
      factors &&
      this.#split(factors, 0, batch, this.#together, 1)
        .flatMap((some) => this.#split(some, 1, heads, this.#heads, 1))
        .map((part) => b.reshape(part, [part.shape[0]! * part.shape[1]!, length, length]));
  }

  /** rows [N,heads*size]; what follows the last sequence is left out. */
  of(rows: Value, size = this.size): readonly Value[] {
    const { batch, heads, length } = this.#sequences;
    const b = this.#b;
    return this.#split(rows, 0, batch, this.#together, length)
      .flatMap((some) => this.#split(some, 1, heads, this.#heads, size))
      .map((part) => {
        const numHeads = part.shape[1]! / size;
        const count = part.shape[0]! / length;
        if (this.#together === 1) return b.reshape(part, [length, numHeads, size]);
        const apart = b.transpose(b.reshape(part, [count, length, numHeads, size]), [0, 2, 1, 3]);
        return b.reshape(apart, [count * numHeads, length, size]);
      });
  }

  /** Products of parts as `product` gives them -> [batch*length,C] */
  joined(parts: readonly Value[]): Value {
    const { batch, heads, length } = this.#sequences;
    const b = this.#b;
    const across = Math.ceil(heads / this.#heads);
    const rows = Array.from({ length: parts.length / across }, (_, i) => {
      const some = parts.slice(i * across, (i + 1) * across).map((part) => {
        const count = Math.min(this.#together, batch - i * this.#together);
        const numHeads = part.shape[0]! / count;
        const apart = b.reshape(part, [count, numHeads, length, this.size]);
        return b.reshape(b.transpose(apart, [0, 2, 1, 3]), [count * length, numHeads * this.size]);
      });
      return b.concat(some, 1);
    });
    return b.concat(rows, 0);
  }

  /** Of two parts: what each location of the first makes with each of the second, [heads,length,length]. */
  scores(left: Value, right: Value, alpha = 1): Value {
    const swapped = this.#together === 1;
    return this.#b.matMul(left, right, {
      transposeB: true,
      swapBatchA: swapped,
      swapBatchB: swapped,
      alpha,
    });
  }

  weights(query: Value, key: Value, scale: number): Value {
    const scores = this.scores(query, key, scale);
    const seen = this.#sequences.causal ? this.#b.add(scores, this.#laterLocations()) : scores;
    return this.#b.op('Softmax', [seen], scores.shape, { axis: 2 });
  }

  /** Weights multiplied by the factors of a part. */
  kept(weights: Value, part: number): Value {
    return this.#factors ? this.#b.mul(weights, this.#factors[part]!) : weights;
  }

  /** Weights, or transposed ones, times a part. */
  product(weights: Value, part: Value, options: { alpha?: number; transposeA?: boolean } = {}): Value {
    return this.#b.matMul(weights, part, { swapBatchB: this.#together === 1, ...options });
  }

  /** A part as [heads,length,size], however many sequences it has. */
  byHead(part: Value): Value {
    return this.#together === 1 ? this.#b.transpose(part, [1, 0, 2]) : part;
  }

  /** What takes away scores [query, key] of keys after the query, 0 for the others. */
  #laterLocations(): Value {
    const { length } = this.#sequences;
    const mask = Float32Array.from({ length: length ** 2 }, (_, i) =>
      i % length > Math.floor(i / length) ? LEAST_SCORE : 0,
    );
    return this.#b.floats(mask, [length, length]);
  }

  /** x in parts of `each` of `count` things that take `size` along the axis, without what follows them. */
  #split(x: Value, axis: number, count: number, each: number, size: number): readonly Value[] {
    const sizes = Array.from(
      { length: Math.ceil(count / each) },
      (_, i) => Math.min(each, count - i * each) * size,
    );
    const rest = x.shape[axis]! - count * size;
    if (rest > 0) return this.#b.split(x, [...sizes, rest], axis).slice(0, -1);
    return sizes.length === 1 ? [x] : this.#b.split(x, sizes, axis);
  }
}
