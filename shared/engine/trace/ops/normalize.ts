import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { blockedConv, canBlock } from './blocked.js';

const EPSILON = 1e-6;

/** x [B,C,H,W] less its mean over the channels, over its deviation, at each location. */
export function normalize(b: Builder, x: Value): Value {
  return new Channels(b, x.shape).normal(x);
}

/** The gradient of x: with y normal, (dy - mean of dy - y * mean of dy * y) over the deviation. */
export function normalizeInput(b: Builder, dy: Value, x: Value): Value {
  const channels = new Channels(b, x.shape);
  const [d, rows] = [channels.rows(dy), channels.rows(x)];
  const y = channels.rows(channels.normal(x));
  const along = b.mul(y, channels.mean(b.mul(d, y)));
  return channels.maps(b.mul(b.sub(b.sub(d, channels.mean(d)), along), channels.inverseDeviation(rows)));
}

/**
 * Maps as [B,channels,locations] or, in blocked layout, [B,blocks of k channels,k*locations], and the mean over channels of these,
 * which is the same k times for each location.
 */
class Channels {
  readonly #b: Builder;
  readonly #shape: readonly number[];
  readonly #isBlocked: boolean;

  constructor(b: Builder, shape: readonly number[]) {
    this.#b = b;
    this.#shape = shape;
    this.#isBlocked = canBlock(b, shape[1]!);
  }

  rows(maps: Value): Value {
    const [batch, channels, height, width] = this.#shape as [number, number, number, number];
    const together = this.#isBlocked ? this.#b.forms.channelBlock : 1;
    const value = this.#isBlocked ? this.#b.layouts.toBlocked(maps) : maps;
    return this.#b.reshape(value, [batch, channels / together, together * height * width]);
  }

  maps(rows: Value): Value {
    const value = this.#b.reshape(rows, this.#shape);
    return this.#isBlocked ? this.#b.layouts.fromBlocked(value) : value;
  }

  normal(maps: Value): Value {
    const rows = this.rows(maps);
    return this.maps(this.#b.mul(this.#centred(rows), this.inverseDeviation(rows)));
  }

  /** Mean over channels, [B,1,...]: in blocked layout, a convolution to one block, whose channels are all alike. */
  mean(rows: Value): Value {
    const b = this.#b;
    if (!this.#isBlocked) return b.reduce('ReduceMean', rows, [1], true);
    const [batch, channels, height, width] = this.#shape as [number, number, number, number];
    const k = b.forms.channelBlock;
    const shares = b.expand(b.floats(Float32Array.of(1 / channels), [1, 1, 1, 1, 1]), [
      1,
      channels / k,
      1,
      k,
      k,
    ]);
    const means = blockedConv(b, b.reshape(rows, this.#shape), shares, [1, 1], {});
    return b.reshape(means, [batch, 1, k * height * width]);
  }

  inverseDeviation(rows: Value): Value {
    const b = this.#b;
    const difference = this.#centred(rows);
    const variance = this.mean(b.mul(difference, difference));
    return b.unary('Reciprocal', b.unary('Sqrt', b.add(variance, b.scalar(EPSILON))));
  }

  #centred(rows: Value): Value {
    return this.#b.sub(rows, this.mean(rows));
  }
}
