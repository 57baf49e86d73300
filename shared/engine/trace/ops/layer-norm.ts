import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { blockedConv, canBlock } from './blocked.js';
import { channelAffine, channelSums } from './channels.js';

const EPSILON = 1e-6;

/** x [B,C,H,W], scale [C], bias [C] */
export function layerNorm(b: Builder, x: Value, scale: Value, bias: Value): Value {
  const [batch] = x.shape as [number];
  return channelAffine(
    b,
    new Channels(b, x.shape).normal(x),
    perExample(b, scale, batch),
    perExample(b, bias, batch),
  );
}

/**
 * The gradients of x, scale and bias. With y the normal x, that of x is (scale dy - mean of scale dy - y * mean of scale dy y) over
 * the deviation.
 */
export function layerNormGradients(b: Builder, dy: Value, x: Value, scale: Value): [Value, Value, Value] {
  const [batch, width] = x.shape as [number, number];
  const channels = new Channels(b, x.shape);
  const y = channels.normal(x);
  const product = b.mul(dy, y);
  const minusMean = (maps: Value) => b.unary('Neg', channels.mean(channels.rows(maps), scale));
  const along = b.mul(channels.rows(y), minusMean(product));
  const plus = channels.maps(b.add(along, minusMean(dy)));
  const zeros = b.floats(new Float32Array(batch * width), [batch * width]);
  const scaled = channelAffine(b, dy, perExample(b, scale, batch), zeros, { plus });
  const sums = (maps: Value) => b.sum(b.reshape(channelSums(b, maps), [batch, width]), [0]);
  return [
    channels.maps(b.mul(channels.rows(scaled), channels.inverseDeviation(channels.rows(x)))),
    b.reshape(sums(product), [width]),
    b.reshape(sums(dy), [width]),
  ];
}

/** A number for each channel, [C], for each example's each channel, [B*C]. */
function perExample(b: Builder, x: Value, batch: number): Value {
  const [channels] = x.shape as [number];
  return b.reshape(b.expand(b.reshape(x, [1, channels]), [batch, channels]), [batch * channels]);
}

/**
 * Maps as [B,channels,locations] or, in blocked layout, [B,blocks of k channels,k*locations], and means over the channels of these,
 * which are the same k times for each location.
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

  /** Less the mean, over the deviation. */
  normal(maps: Value): Value {
    const rows = this.rows(maps);
    return this.maps(this.#b.mul(this.#centred(rows), this.inverseDeviation(rows)));
  }

  /** The mean over channels, times a number for each where there are: [B,1,...]. Blocked, a convolution to one block of equal channels. */
  mean(rows: Value, factors?: Value): Value {
    const b = this.#b;
    const [batch, channels, height, width] = this.#shape as [number, number, number, number];
    if (!this.#isBlocked) {
      const each = factors ? b.mul(rows, b.reshape(factors, [1, channels, 1])) : rows;
      return b.reduce('ReduceMean', each, [1], true);
    }
    const k = b.forms.channelBlock;
    const share = b.scalar(1 / channels);
    const shares = b.reshape(factors ? b.mul(factors, share) : b.filled([channels], 1 / channels), [
      1,
      channels / k,
      1,
      k,
      1,
    ]);
    const filter = b.expand(shares, [1, channels / k, 1, k, k]);
    const means = blockedConv(b, b.reshape(rows, this.#shape), filter, [1, 1], {});
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
