import { Extension, MessagePackError, parseMessagePack, type MessagePack } from './message-pack.js';

/** Types of extension: both hold a packed (shape, NumPy's name of the type, bytes in C order). */
const ARRAY = 1;
const SCALAR = 3;
/** Marks a map that stands for an array of more than 2^30 bytes: its shape, and flat arrays to be joined. */
const CHUNKED = '__msgpack_chunked_array__';

/** A NumPy array or scalar. Its bytes are views of the file. */
export interface FlaxArray {
  readonly shape: readonly number[];
  /** NumPy's name, such as float32. */
  readonly dtype: string;
  /** In C order, little-endian, one after another. */
  readonly parts: readonly Uint8Array[];
}

export type FlaxTree = ReadonlyMap<string, FlaxValue>;
/** What is neither tree, array nor number is null. */
export type FlaxValue = FlaxTree | FlaxArray | number | null;

/**
 * Reads a state dict as `flax.serialization` writes it: MessagePack of nested maps, whose leaves are arrays and numbers.
 *
 * @throws MessagePackError where the bytes are no such thing: what is wrong, and where
 */
export function parseFlax(bytes: Uint8Array): FlaxTree {
  const tree = convert(parseMessagePack(bytes), '');
  if (!isTree(tree)) throw new MessagePackError('it holds a single value, not named ones');
  return tree;
}

export const isTree = (value: FlaxValue | undefined): value is FlaxTree => value instanceof Map;
const isArray = (value: FlaxValue | undefined): value is FlaxArray =>
  typeof value === 'object' && value !== null && 'dtype' in value;

/** What a file says goes into messages, and from there to terminals: escaped, and only its end where it is long. */
export const quote = (name: string) => JSON.stringify(name.slice(-80));

/** The arrays of a tree by their paths, joined by `/`. */
export function flatten(tree: FlaxTree): Map<string, FlaxArray> {
  const flat = new Map<string, FlaxArray>();
  for (const [key, value] of tree) {
    if (isArray(value)) flat.set(key, value);
    else if (isTree(value)) for (const [path, array] of flatten(value)) flat.set(`${key}/${path}`, array);
  }
  return flat;
}

/** A count, be it a number of Python's or an array of one element; undefined where the value is something else. */
export function countOf(value: FlaxValue | undefined): number | undefined {
  const count = isArray(value) && value.shape.length === 0 ? integerOf(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

function integerOf({ dtype, parts: [bytes] }: FlaxArray): number | undefined {
  const view = new DataView(bytes!.buffer, bytes!.byteOffset, bytes!.byteLength);
  if (dtype === 'int32') return view.getInt32(0, true);
  return dtype === 'int64' ? Number(view.getBigInt64(0, true)) : undefined;
}

/** The elements of an array of float32, or of float64 rounded to it. */
export function toFloat32({ dtype, shape, parts }: FlaxArray): Float32Array {
  const Elements = dtype === 'float64' ? Float64Array : Float32Array;
  const values = new Elements(numElements(shape));
  const bytes = new Uint8Array(values.buffer);
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

const numElements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function convert(value: MessagePack, path: string): FlaxValue {
  if (value instanceof Extension) return unpackArray(value, path);
  if (!(value instanceof Map)) return typeof value === 'number' ? value : null;
  const tree = new Map<string, FlaxValue>();
  for (const [key, item] of fieldsOf(value)) tree.set(key, convert(item, path ? `${path}/${key}` : key));
  return value.has(CHUNKED) ? joinChunks(tree, path) : tree;
}

/** Versions of 2021 wrote a named tuple as its name, the names of its fields, and their values, both numbered. */
function fieldsOf(map: Map<string, MessagePack>): Map<string, MessagePack> {
  const [fields, values] = [map.get('fields'), map.get('values')];
  const isTuple = map.size === 3 && map.has('name') && fields instanceof Map && values instanceof Map;
  if (!isTuple) return map;
  return new Map([...fields].map(([nth, name]) => [String(name), values.get(nth) ?? null]));
}

function unpackArray({ type, data }: Extension, path: string): FlaxArray | null {
  if (type !== ARRAY && type !== SCALAR) return null;
  const [shape, dtype, bytes] = unpackList(data, path);
  const isShape = Array.isArray(shape) && shape.every((extent) => typeof extent === 'number' && extent >= 0);
  if (!isShape || typeof dtype !== 'string' || !(bytes instanceof Uint8Array))
    throw new MessagePackError(`${quote(path)} is not packed as shape, type and bytes`);
  return checked({ shape: shape as number[], dtype, parts: [bytes] }, path);
}

function unpackList(data: Uint8Array, path: string): MessagePack[] {
  try {
    const value = parseMessagePack(data);
    return Array.isArray(value) ? value : [];
  } catch (error) {
    if (!(error instanceof MessagePackError)) throw error;
    throw new MessagePackError(`in ${quote(path)}, ${error.message}`, { cause: error });
  }
}

function joinChunks(tree: FlaxTree, path: string): FlaxArray {
  const inOrder = (value: FlaxValue | undefined) =>
    isTree(value) ? Array.from({ length: value.size }, (_, nth) => value.get(String(nth))) : [];
  const [shape, chunks] = [inOrder(tree.get('shape')).map(countOf), inOrder(tree.get('chunks'))];
  if (!isWhole(shape) || !chunks.every(isArray) || chunks.length === 0)
    throw new MessagePackError(`${quote(path)} is split into chunks, but lacks its shape or one of them`);
  const { dtype } = chunks[0]!;
  return checked({ shape, dtype, parts: chunks.flatMap(({ parts }) => parts) }, path);
}

const isWhole = (shape: readonly (number | undefined)[]): shape is number[] => !shape.includes(undefined);

function checked(array: FlaxArray, path: string): FlaxArray {
  const { dtype, shape, parts } = array;
  const [bits] = /\d+$/.exec(dtype) ?? [];
  const due = (Number(bits) / 8) * numElements(shape);
  const there = parts.reduce((sum, { length }) => sum + length, 0);
  if (bits !== undefined && due !== there)
    throw new MessagePackError(
      `${quote(path)}, ${dtype} [${shape.join(', ')}], takes ${due} bytes and has ${there}`,
    );
  return array;
}
