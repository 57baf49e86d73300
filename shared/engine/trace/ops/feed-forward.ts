import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { conv1x1, conv1x1Input, conv1x1Kernel } from './conv1x1.js';
import { gelu, geluInput } from './gelu.js';

/** Numbers that CPUs work on together between the two layers: few enough for a core's cache. */
const TOGETHER = 2 ** 17;
/** Hidden channels that a convolution's kernel computes together. */
const CHANNELS = 32;

/** first [M,C], firstBias [M], second [M,O], secondBias [O] */
export type Layers = [first: Value, firstBias: Value, second: Value, secondBias: Value];

/** x [B,C,H,W] through a dense layer, GELU and another: [B,O,H,W]. */
export function feedForward(b: Builder, x: Value, layers: Layers): Value {
  const [, , , secondBias] = layers;
  return sumOf(
    b,
    partsOf(b, x, layers).map(({ hidden, second }, i) =>
      conv1x1Input(b, hidden, second, i === 0 ? secondBias : undefined),
    ),
  );
}

/** The gradients of x and the layers. */
export function feedForwardGradients(b: Builder, dy: Value, x: Value, layers: Layers): Value[] {
  const parts = partsOf(b, x, layers).map((part) => {
    const dPre = geluInput(b, conv1x1(b, dy, part.second), part.pre);
    return {
      x: conv1x1Input(b, dPre, part.first),
      first: conv1x1Kernel(b, x, dPre, 'x'),
      firstBias: b.sum(dPre, [0, 2, 3]),
      second: conv1x1Kernel(b, dy, part.hidden, 'x'),
    };
  });
  const joined = (of: 'first' | 'firstBias' | 'second') =>
    b.concat(
      parts.map((part) => part[of]),
      0,
    );
  return [
    sumOf(
      b,
      parts.map((part) => part.x),
    ),
    joined('first'),
    joined('firstBias'),
    joined('second'),
    b.sum(dy, [0, 2, 3]),
  ];
}

/** Some hidden channels at a time: the weights on either side of them, what GELU takes and what it gives. */
function partsOf(b: Builder, x: Value, [first, firstBias, second]: Layers) {
  const [kernels, biases, seconds] = [first, firstBias, second].map((weights) => inParts(b, x, weights));
  return kernels!.map((kernel, i) => {
    const pre = conv1x1(b, x, kernel, biases![i]);
    return { first: kernel, second: seconds![i]!, pre, hidden: gelu(b, pre) };
  });
}

/** One after another, as a convolution adds its results to others. */
function sumOf(b: Builder, maps: readonly Value[]): Value {
  return maps.reduce((sum, each) => b.add(sum, each));
}

/** Weights in parts along the axis of hidden channels, the first; in one on GPUs. */
function inParts(b: Builder, x: Value, weights: Value): readonly Value[] {
  if (b.forms.device === 'gpu') return [weights];
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const channels = weights.shape[0]!;
  const each = Math.max(1, Math.floor(TOGETHER / (batch * height * width * CHANNELS))) * CHANNELS;
  if (channels <= each) return [weights];
  const sizes = Array.from({ length: Math.ceil(channels / each) }, (_, i) =>
    Math.min(each, channels - i * each),
  );
  return b.split(weights, sizes, 0);
}
