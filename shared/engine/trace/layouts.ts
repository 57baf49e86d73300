import type { Builder } from './builder.js';
import type { Value } from './graph.js';

/** The domain of ONNX Runtime's operations on blocked maps. */
export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/** Neighbours along the width that Winograd's convolutions compute together. */
export const TILE = 4;

/**
 * The orders in which maps [B,C,H,W] lie in memory, and which of them a map is known in:
 *
 * - plain: as the shape says; what operations give one another.
 * - tiled: [B,C,4,H,W/4], the first location of every tile of the width, then the second, and so on, so that what
 *   Winograd's transforms take together lies far apart but in long rows; plain where the width doesn't divide, and for
 *   sequences (H = 1), whose convolutions are direct.
 * - blocked: tiled maps as [B,C/k,4,H,W/4,k], k channels side by side, as many as a vector register holds: ONNX
 *   Runtime's own layout for convolutions on CPUs (MLAS). Its kernels there reach half as much again as its
 *   convolutions of plain maps.
 *
 * Values of every order have the shape [B,C,H,W]. An operation that gives a map in one order gives it as plain all the
 * same; what takes it in the order that it came in leaves the reordering unused, and it vanishes from the graph.
 */
export class Layouts {
  readonly #builder: Builder;
  /** By the names of plain maps. */
  readonly #tiled = new Map<string, Value>();
  readonly #blocked = new Map<string, Value>();

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Plain maps as blocked ones, where they are known as such. */
  knownBlocked(x: Value): Value | undefined {
    return this.#blocked.get(x.name);
  }

  toBlocked(x: Value): Value {
    const known = this.knownBlocked(x);
    if (known) return known;
    const blocked = this.#builder.op(`${BLOCKED_DOMAIN}:ReorderInput`, [this.toTiled(x)], x.shape);
    this.#blocked.set(x.name, blocked);
    return blocked;
  }

  fromBlocked(blocked: Value): Value {
    const attributes = { channels: blocked.shape[1]! };
    const op = `${BLOCKED_DOMAIN}:ReorderOutput`;
    const x = this.fromTiled(this.#builder.op(op, [blocked], blocked.shape, attributes));
    this.#blocked.set(x.name, blocked);
    return x;
  }

  toTiled(x: Value): Value {
    const tiled = this.#tiled.get(x.name) ?? this.#exchange(x, TILE);
    this.#tiled.set(x.name, tiled);
    return tiled;
  }

  fromTiled(tiled: Value): Value {
    const [, , height, width] = tiled.shape as [number, number, number, number];
    const x = this.#exchange(tiled, (height * width) / TILE);
    this.#tiled.set(x.name, tiled);
    return x;
  }

  /** Each map as a matrix of so many columns, transposed. */
  #exchange(x: Value, columns: number): Value {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    if (!tiles(x.shape)) return x;
    const b = this.#builder;
    const matrices = b.reshape(x, [batch * channels, (height * width) / columns, columns]);
    return b.reshape(b.transpose(matrices, [0, 2, 1]), x.shape);
  }
}

/** Whether tiled maps of this shape [B,C,H,W] differ from plain ones. */
export function tiles(shape: readonly number[]): boolean {
  const [, , height, width] = shape as [number, number, number, number];
  return height > 1 && width % TILE === 0;
}
