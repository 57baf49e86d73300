import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

type Maps = [batch: number, channels: number, height: number, width: number];

/** query, key, value [B,C,H,W] -> [B,C,H,W], softmax over all locations, one head after another. */
export function attention(b: Builder, query: Value, key: Value, value: Value, heads: number): Value {
  const mixed = b.matMul(perHead(b, value, heads), weights(b, query, key, heads), { transposeB: true });
  return b.reshape(mixed, query.shape);
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
  const scale = 1 / Math.sqrt(q.shape[1]!);
  const w = weights(b, query, key, heads);
  const dW = b.matMul(d, v, { transposeA: true });
  const weighted = b.mul(dW, w);
  const dScores = b.sub(weighted, b.mul(w, b.sum(weighted, [2], true)));
  return [
    b.reshape(b.matMul(k, dScores, { transposeB: true, alpha: scale }), query.shape),
    b.reshape(b.matMul(q, dScores, { alpha: scale }), key.shape),
    b.reshape(b.matMul(d, w), value.shape),
  ];
}

/** [B*heads, locations, locations]: how much each location takes from each other one. */
function weights(b: Builder, query: Value, key: Value, heads: number): Value {
  const [q, k] = [perHead(b, query, heads), perHead(b, key, heads)];
  const alpha = 1 / Math.sqrt(q.shape[1]!);
  const scores = b.matMul(q, k, { transposeA: true, alpha });
  return b.op('Softmax', [scores], scores.shape, { axis: 2 });
}

function perHead(b: Builder, x: Value, heads: number): Value {
  const [batch, channels, height, width] = x.shape as Maps;
  return b.reshape(x, [batch * heads, channels / heads, height * width]);
}
