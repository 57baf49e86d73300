import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];
/** Each [rows,channels,locations], a row for each head of each example. */
type Rows = [query: Value, key: Value, value: Value, dy: Value];

/** Scores that CPUs work on together: few enough to stay in a core's cache from one operation to the next. */
const SCORES_TOGETHER = 2 ** 18;
/** A graph of many more takes seconds to load. */
const MOST_PARTS = 32;

/** query, key, value [B,C,H,W] -> [B,C,H,W], softmax over all locations, one head after another. */
export function attention(b: Builder, query: Value, key: Value, value: Value, heads: number): Value {
  const locations = query.shape[2]! * query.shape[3]!;
  const [queries, keys, values] = [query, key, value].map((x) => inParts(b, perHead(b, x, heads), locations));
  // Locations first: the faster way around.
  const mixed = queries!.map((q, i) => b.matMul(weights(b, q, keys![i]!), values![i]!, { transposeB: true }));
  return b.reshape(turned(b, b.concat(mixed, 0)), query.shape);
}

/** The gradients of query, key and value. */
export function attentionGradients(
  b: Builder,
  dy: Value,
  query: Value,
  key: Value,
  value: Value,
  heads: number,
): [Value, Value, Value] {
  const rows = [query, key, value, dy].map((x) => perHead(b, x, heads)) as Rows;
  const [, , v, d] = rows;
  const y = perHead(b, attention(b, query, key, value, heads), heads);
  // dScores = w * (dW - sum of w * dW), and that sum over locations is one of dy * y over channels: as one more
  // channel of the product that gives dW, it costs no pass over all pairs of locations.
  const total = b.sum(b.mul(d, y), [1], true);
  const left = b.concat([d, b.unary('Neg', total)], 1);
  const right = b.concat([v, b.filled(total.shape, 1)], 1);
  const gradients = b.forms.device === 'gpu' ? gradientsAtOnce : gradientsInParts;
  return gradients(b, rows, left, right).map((x) => b.reshape(x, query.shape)) as [Value, Value, Value];
}

/** With the weights kept since the forward pass. */
function gradientsAtOnce(b: Builder, [q, k, , d]: Rows, left: Value, right: Value): readonly Value[] {
  const w = weights(b, q, k);
  const dScores = b.mul(b.matMul(left, right, { transposeA: true }), w);
  const scale = b.scalar(scaleOf(q));
  return [
    b.mul(turned(b, b.matMul(dScores, k, { transposeB: true })), scale),
    b.mul(b.matMul(q, dScores), scale),
    b.matMul(d, w),
  ];
}

/**
 * With the weights made again, which takes no longer than to fetch them from memory. Of what an operation needs, ONNX
 * Runtime makes first what was recorded last: hence one part after another, and weights only when they are needed.
 */
function gradientsInParts(b: Builder, [q, k, , d]: Rows, left: Value, right: Value): readonly Value[] {
  const [rows, , locations] = q.shape as [number, number, number];
  const scale = b.scalar(scaleOf(q));
  // Turned first, scaled then: a bare transposition ONNX Runtime would move into every product, at a higher price.
  const whole = [b.mul(turned(b, q), scale), b.mul(turned(b, left), scale), q, k, d, right];
  const [scaledQ, scaledLeft, queries, keys, ds, rights] = whole.map((x) => inParts(b, x, locations));
  const parts = queries!.map((query, i) => {
    const w = softmax(b, b.matMul(scaledQ![i]!, keys![i]!));
    const dValue = b.matMul(w, ds![i]!, { transposeA: true, transposeB: true });
    const dScores = b.mul(b.matMul(scaledLeft![i]!, rights![i]!), w);
    const dQuery = b.matMul(dScores, keys![i]!, { transposeB: true });
    const dKey = b.matMul(dScores, query, { transposeA: true, transposeB: true });
    return [dQuery, dKey, dValue];
  });
  const all = [0, 1, 2].flatMap((of) => parts.map((part) => part[of]!));
  return b.split(turned(b, b.concat(all, 0)), [rows, rows, rows], 0);
}

/** [rows,locations,locations]: how much each location takes from each other one. */
function weights(b: Builder, q: Value, k: Value): Value {
  return softmax(b, b.matMul(q, k, { transposeA: true, alpha: scaleOf(q) }));
}

function softmax(b: Builder, scores: Value): Value {
  return b.op('Softmax', [scores], scores.shape, { axis: 2 });
}

function scaleOf(q: Value): number {
  return 1 / Math.sqrt(q.shape[1]!);
}

function turned(b: Builder, x: Value): Value {
  return b.transpose(x, [0, 2, 1]);
}

/** x of [rows,...] in parts of one number of rows, whatever the number of threads; in one on GPUs. */
function inParts(b: Builder, x: Value, locations: number): readonly Value[] {
  const [rows] = x.shape as [number];
  if (b.forms.device === 'gpu') return [x];
  const each = Math.max(1, Math.ceil(rows / MOST_PARTS), Math.floor(SCORES_TOGETHER / locations ** 2));
  if (rows <= each) return [x];
  const sizes = Array.from({ length: Math.ceil(rows / each) }, (_, i) => Math.min(each, rows - i * each));
  return b.split(x, sizes, 0);
}

function perHead(b: Builder, x: Value, heads: number): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  return b.reshape(x, [batch * heads, channels / heads, height * width]);
}
