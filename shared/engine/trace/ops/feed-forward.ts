import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { conv1x1, conv1x1Input, conv1x1Kernel } from './conv1x1.js';
import { gelu, geluInput } from './gelu.js';

/** Numbers that CPUs work on together between the two layers: few enough for a core's cache. */
const TOGETHER = 2 ** 17;
/** Hidden channels that a convolution's kernel computes together. */
const CHANNELS = 32;

/** first [M,C], firstBias [M], second [O,M], secondBias [O] */
export type Layers = [first: Value, firstBias: Value, second: Value, secondBias: Value];

/** x [B,C,H,W] through a dense layer, GELU and another: [B,O,H,W]. */
export function feedForward(b: Builder, x: Value, layers: Layers): Value {
  const [, , second, secondBias] = layers;
  return conv1x1(b, hidden(b, x, layers), second, secondBias);
}

/** The gradients of x and the layers. */
export function feedForwardGradients(b: Builder, dy: Value, x: Value, layers: Layers): Value[] {
  const [first, , second] = layers;
  const inputs = inParts(b, x, second, 1);
  const parts = preActivations(b, x, layers).map((pre, i) =>
    geluInput(b, conv1x1Input(b, dy, inputs[i]!), pre),
  );
  const dPre = b.concat(parts, 1);
  return [
    conv1x1Input(b, dPre, first),
    conv1x1Kernel(b, x, dPre),
    b.sum(dPre, [0, 2, 3]),
    conv1x1Kernel(b, hidden(b, x, layers), dy),
    b.sum(dy, [0, 2, 3]),
  ];
}

function hidden(b: Builder, x: Value, layers: Layers): Value {
  return b.concat(
    preActivations(b, x, layers).map((pre) => gelu(b, pre)),
    1,
  );
}

/** What GELU takes, some channels at a time. */
function preActivations(b: Builder, x: Value, [first, firstBias]: Layers): Value[] {
  const biases = inParts(b, x, firstBias, 0);
  return inParts(b, x, first, 0).map((kernel, i) => conv1x1(b, x, kernel, biases[i]));
}

/** Weights in parts along the axis of hidden channels; in one on GPUs. */
function inParts(b: Builder, x: Value, weights: Value, axis: number): readonly Value[] {
  if (b.forms.device === 'gpu') return [weights];
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const channels = weights.shape[axis]!;
  const each = Math.max(1, Math.floor(TOGETHER / (batch * height * width * CHANNELS))) * CHANNELS;
  if (channels <= each) return [weights];
  const sizes = Array.from({ length: Math.ceil(channels / each) }, (_, i) =>
    Math.min(each, channels - i * each),
  );
  return b.split(weights, sizes, axis);
}
