import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';
import { BLOCKED_DOMAIN } from '../layouts.js';
import { canBlock } from './blocked.js';

/** A map [1,C,1,N] as a row for each location, [N,C]. */
export function toRows(b: Builder, x: Value): Value {
  const [, channels, , locations] = x.shape as [number, number, number, number];
  const shape = [locations, channels];
  if (!canBlock(b, channels)) return b.transpose(b.reshape(x, [channels, locations]), [1, 0]);
  const attributes = { channels, channels_last: 1 };
  const blocked = b.layouts.toBlocked(x);
  return b.reshape(b.op(`${BLOCKED_DOMAIN}:ReorderOutput`, [blocked], [1, 1, ...shape], attributes), shape);
}

/** Rows [n,C] as a map [1,C,1,N], N >= n, with zeros after them. */
export function fromRows(b: Builder, rows: Value, locations: number): Value {
  const [given, channels] = rows.shape as [number, number];
  const all = given === locations ? rows : b.concat([rows, b.filled([locations - given, channels])], 0);
  if (!canBlock(b, channels)) return b.reshape(b.transpose(all, [1, 0]), [1, channels, 1, locations]);
  const map = b.reshape(all, [1, 1, locations, channels]);
  const shape = [1, channels, 1, locations];
  return b.layouts.fromBlocked(b.op(`${BLOCKED_DOMAIN}:ReorderInput`, [map], shape, { channels_last: 1 }));
}
