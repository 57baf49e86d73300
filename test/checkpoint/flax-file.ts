import { addExtension, Packr } from 'msgpackr';

/** A NumPy array, as Flax writes one. */
export class NumpyArray {
  constructor(
    readonly shape: readonly number[],
    readonly dtype: string,
    readonly bytes: Uint8Array,
  ) {}
}

const packr = new Packr({ useRecords: false });

addExtension({
  Class: NumpyArray,
  type: 1,
  pack: ({ shape, dtype, bytes }: NumpyArray) => new Packr({ useRecords: false }).pack([shape, dtype, bytes]),
});

export const float32 = (shape: readonly number[], values: Float32Array): NumpyArray =>
  new NumpyArray(shape, 'float32', Buffer.from(values.buffer, values.byteOffset, values.byteLength));

export const int32 = (value: number): NumpyArray =>
  new NumpyArray([], 'int32', Buffer.from(Int32Array.of(value).buffer));

/** The bytes of a state dict: objects, whose leaves are arrays and numbers. */
export const encodeFlax = (tree: object): Uint8Array => packr.pack(tree);

/** Arrays by paths, as the nested objects that they are paths of. */
export function nested(arrays: Iterable<readonly [string, unknown]>): object {
  const root: Record<string, unknown> = {};
  for (const [path, array] of arrays) {
    const keys = path.split('/');
    let at = root;
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[keys.at(-1)!] = array;
  }
  return root;
}
