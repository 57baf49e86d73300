import type * as Ort from 'onnxruntime-web/wasm';
import { sizeOf } from './program.js';
import { numbers } from './tiny-unet.js';
import { Builder } from './trace/builder.js';
import { encodeOnnx } from './trace/encode.js';
import type { Value } from './trace/graph.js';

/** Of the self-test's outputs on every machine that was tried: x86-64 with and without AVX, and arm64. */
export const SELF_TEST_SHA256 = '4db07d896c10e7063de643a2cbc79d9db2b640ba9267a6b29898ad69bf7ac2b2';

const INPUTS = {
  x: [2, 8, 9, 9],
  kernel: [8, 8, 3, 3],
  wide: [16, 8, 1, 1],
  weights: [81, 24],
  bias: [24],
} as const;
type Name = keyof typeof INPUTS;

/**
 * A tiny net with all that networks here are made of: convolutions, products of activations, softmax, norms and every
 * function that is computed by series. Recorded by hand, so that it stays the same when networks are recorded differently.
 */
export function selfTestModel(): Uint8Array {
  const b = new Builder({ device: 'cpu', channelBlock: 0 });
  const names = Object.keys(INPUTS) as Name[];
  const inputs = names.map((name) => b.graph.input(name, 'float32', INPUTS[name]));
  const { x, kernel, wide, weights, bias } = Object.fromEntries(
    names.map((name, i) => [name, inputs[i]!]),
  ) as Record<Name, Value>;
  const half = b.scalar(0.5);

  const convolved = b.conv(x, kernel, { pads: [1, 1, 1, 1] });
  const dilated = b.conv(convolved, kernel, { pads: [2, 2, 2, 2], dilations: [2, 2] });
  const grouped = normalize(b, b.reshape(dilated, [2, 4, 2 * 81]));
  const maps = b.reshape(grouped, [2, 8, 9, 9]);
  const silu = b.mul(maps, b.unary('Sigmoid', maps));
  const tokens = b.reshape(b.conv(silu, wide), [2, 16, 81]);
  const scores = b.matMul(tokens, tokens, { transposeB: true, alpha: 0.125 });
  const attended = b.matMul(b.unary('Softmax', scores, { axis: -1 }), tokens);
  const hidden = b.add(b.matMul(normalize(b, attended), weights), bias);
  const erf = b.mul(
    b.mul(hidden, half),
    b.add(b.unary('Erf', b.mul(hidden, b.scalar(Math.SQRT1_2))), b.scalar(1)),
  );
  const exponentials = b.unary('Exp', hidden);
  const outputs: Record<string, Value> = {
    silu,
    attended,
    erf,
    gelu: b.unary('com.microsoft:FastGelu', hidden),
    tanh: b.unary('Tanh', hidden),
    exp: exponentials,
    log: b.unary('Log', b.add(exponentials, half)),
    power: b.elementwise('Pow', exponentials, half),
    batchNormal: b.op('BatchNormalization', [tokens, ...scales(b)], tokens.shape, {
      epsilon: { float: 1e-5 },
    }),
    last: b.matMul(b.slice(attended, [0, 15, 0], [2, 1, 81]), b.transpose(attended, [0, 2, 1])),
  };
  return encodeOnnx(b.graph.prune(Object.values(outputs)), new Map(Object.entries(outputs)));
}

/** What the self-test is run on. */
export function selfTestCall({ Tensor }: Pick<typeof Ort, 'Tensor'>): Record<string, Ort.Tensor> {
  const named = Object.entries(INPUTS).map(([name, shape], i) => [
    name,
    new Tensor('float32', numbers(sizeOf(shape), i + 1), shape),
  ]);
  return Object.fromEntries(named) as Record<string, Ort.Tensor>;
}

/** To mean 0 and variance 1 along the last axis. */
function normalize(b: Builder, x: Value): Value {
  const last = [x.shape.length - 1];
  const centred = b.sub(x, b.reduce('ReduceMean', x, last, true));
  const variance = b.reduce('ReduceMean', b.mul(centred, centred), last, true);
  return b.mul(centred, b.unary('Reciprocal', b.unary('Sqrt', b.add(variance, b.scalar(1e-6)))));
}

/** Factor, offset, mean and variance of 16 channels. */
function scales(b: Builder): Value[] {
  return [11, 12, 13, 14].map((seed) => {
    const each = numbers(16, seed);
    return b.floats(seed === 14 ? each.map((value) => value + 1.5) : each, [16]);
  });
}
