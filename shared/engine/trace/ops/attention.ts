import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** query, key, value [B,C,H,W] -> [B,C,H,W], softmax over all locations, one head after another. */
export function attention(b: Builder, query: Value, key: Value, value: Value, heads: number): Value {
  return b.reshape(mix(b, weights(b, query, key, heads), perHead(b, value, heads)), query.shape);
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
  const [q, k, v, d] = [query, key, value, dy].map((x) => perHead(b, x, heads)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const scale = b.scalar(1 / Math.sqrt(q.shape[1]!));
  const w = weights(b, query, key, heads);
  // dScores = w * (dW - sum of w * dW), and that sum over locations is one of dy * y over channels: as one more
  // channel of the product that gives dW, it costs no pass over all pairs of locations.
  const total = b.sum(b.mul(d, mix(b, w, v)), [1], true);
  const ones = b.filled([v.shape[0]!, 1, v.shape[2]!], 1);
  const left = b.concat([d, b.unary('Neg', total)], 1);
  const dScores = b.mul(b.matMul(left, b.concat([v, ones], 1), { transposeA: true }), w);
  return [
    b.reshape(b.mul(mix(b, dScores, k), scale), query.shape),
    b.reshape(b.mul(b.matMul(q, dScores), scale), key.shape),
    b.reshape(b.matMul(d, w), value.shape),
  ];
}

/** [B*heads,locations,locations]: how much each location takes from each other one. */
function weights(b: Builder, query: Value, key: Value, heads: number): Value {
  const [q, k] = [perHead(b, query, heads), perHead(b, key, heads)];
  const alpha = 1 / Math.sqrt(q.shape[1]!);
  const scores = b.matMul(q, k, { transposeA: true, alpha });
  return b.op('Softmax', [scores], scores.shape, { axis: 2 });
}

/** x [rows,channels,locations] mixed by weights [rows,locations,locations], locations first: the faster way around. */
function mix(b: Builder, w: Value, x: Value): Value {
  return b.transpose(b.matMul(w, x, { transposeB: true }), [0, 2, 1]);
}

function perHead(b: Builder, x: Value, heads: number): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  return b.reshape(x, [batch * heads, channels / heads, height * width]);
}
