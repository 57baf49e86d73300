import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { fromOriginal, toOriginal, type FloatArray } from '../model/layout.js';
import { countParameters, type ParameterSpec } from '../networks/network.js';
import { Damage, reading } from './damage.js';
import { encodeHeader, headerLength, LENGTH_BYTES, parseHeader, type PlacedTensor } from './safetensors.js';

/** What is known of a file. */
export interface FileRecord {
  readonly bytes: number;
  /** SHA-256 (hex) of all of it. */
  readonly sha256: string;
}

/** A tensor of a file, float32 unless its dtype says otherwise, and how its elements lie in memory. */
export interface TensorSpec extends Omit<ParameterSpec, 'init'> {
  readonly dtype?: 'F64';
}

const CHUNK_BYTES = 4 * 2 ** 20;

/**
 * Writes an array (in memory order) as one safetensors file and flushes it to the disk: tensors by the original's names and
 * shapes, in the order of `specs`. Besides the array it takes the memory of its largest tensor.
 *
 * @returns also `dataSha256`, SHA-256 (hex) of the tensors' bytes alone, without the header
 * @throws the system's error
 */
export async function writeTensors(
  file: string,
  specs: readonly TensorSpec[],
  array: FloatArray,
  metadata: Readonly<Record<string, string>>,
): Promise<FileRecord & { readonly dataSha256: string }> {
  const header = encodeHeader(
    specs.map(({ name, dtype = 'F32', originalShape: shape }) => ({ name, dtype, shape })),
    metadata,
  );
  const whole = createHash('sha256').update(header);
  const data = createHash('sha256');
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(header);
    for (const bytes of tensorBytes(specs, array)) {
      whole.update(bytes);
      data.update(bytes);
      await handle.writeFile(bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  const bytes = header.length + array.byteLength;
  return { bytes, sha256: whole.digest('hex'), dataSha256: data.digest('hex') };
}

/**
 * Reads all of a file: its size and checksum are the expected ones, it keeps the rules of its format, and where `specs` are given,
 * it holds just these tensors.
 *
 * @returns the tensors that it holds, in the order of their bytes
 * @throws Damage
 */
export async function verifyTensors(
  file: string,
  expected: FileRecord,
  specs?: readonly TensorSpec[],
): Promise<readonly PlacedTensor[]> {
  return withFile(file, async (handle, bytes, name) => {
    if (bytes !== expected.bytes) {
      const what = bytes < expected.bytes ? 'truncated' : 'too long';
      throw new Damage(`${name} is ${what}: ${bytes} bytes instead of ${expected.bytes}`);
    }
    const sha256 = await hashOf(handle, bytes);
    if (sha256 !== expected.sha256) {
      throw new Damage(`${name} is altered: sha256 ${sha256} instead of ${expected.sha256}`);
    }
    const { tensors } = await readHeader(handle, bytes);
    if (specs) matching(specs, tensors, name);
    return tensors;
  });
}

/**
 * Fills `array` (in memory order) from a file that holds just the tensors of `specs`, in any order. Besides the array it takes the
 * memory of its largest tensor.
 *
 * @throws Damage; the array may then be filled in part
 */
export async function readTensors(
  file: string,
  specs: readonly TensorSpec[],
  array: FloatArray,
): Promise<void> {
  await withFile(file, async (handle, bytes, name) => {
    const { tensors, dataBegin } = await readHeader(handle, bytes);
    await fillArray(handle, dataBegin, matching(specs, tensors, name), specs, array);
  });
}

/** The bytes of an array's tensors as files hold them, one after another; each is lost when the next one is asked for. */
export function* tensorBytes(specs: readonly TensorSpec[], array: FloatArray): Generator<Uint8Array> {
  const tensorOf = scratchFor(specs, array);
  for (const { spec, part } of parts(specs, array)) {
    const tensor = tensorOf(spec);
    toOriginal(spec, part, tensor);
    yield bytesOf(tensor);
  }
}

/** Fills `array` (in memory order) from the tensors of an open file, placed from `dataBegin` on. */
export async function fillArray(
  handle: FileHandle,
  dataBegin: number,
  placed: ReadonlyMap<string, PlacedTensor>,
  specs: readonly TensorSpec[],
  array: FloatArray,
): Promise<void> {
  const tensorOf = scratchFor(specs, array);
  for (const { spec, part } of parts(specs, array)) {
    const tensor = tensorOf(spec);
    await readWhole(handle, bytesOf(tensor), dataBegin + placed.get(spec.name)!.begin);
    fromOriginal(spec, tensor, part);
  }
}

/** One tensor after another, and its part of the array. */
function* parts(specs: readonly TensorSpec[], array: FloatArray) {
  let begin = 0;
  for (const spec of specs) {
    const end = begin + countParameters([spec]);
    yield { spec, part: array.subarray(begin, end) };
    begin = end;
  }
}

/** Room for one tensor at a time, of the type of `array`. */
function scratchFor(specs: readonly TensorSpec[], array: FloatArray): (spec: TensorSpec) => FloatArray {
  const length = Math.max(...specs.map((spec) => countParameters([spec])));
  const scratch = array instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
  return (spec) => scratch.subarray(0, countParameters([spec]));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: FloatArray) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The tensors by name, which must be those of the model. Throws Damage. */
export function matching(
  specs: readonly TensorSpec[],
  tensors: readonly PlacedTensor[],
  file: string,
): ReadonlyMap<string, PlacedTensor> {
  const placed = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name, dtype = 'F32', originalShape } of specs) {
    const tensor = placed.get(name);
    if (!tensor) throw new Damage(`${file} lacks the model's tensor ${name}`);
    const [there, here] = [describe(tensor), describe({ dtype, shape: originalShape })];
    if (there !== here) throw new Damage(`${file} has tensor ${name} as ${there}, the model as ${here}`);
  }
  const known = new Set(specs.map(({ name }) => name));
  const strange = tensors.find(({ name }) => !known.has(name));
  if (strange) throw new Damage(`${file} has a tensor ${JSON.stringify(strange.name)} that the model lacks`);
  return placed;
}

const describe = ({ dtype, shape }: { dtype: string; shape: readonly number[] }) =>
  `${dtype} [${shape.join(', ')}]`;

/** Opens a file for reading; what is wrong with it becomes Damage, which calls it `name`. */
export async function withFile<T>(
  file: string,
  use: (handle: FileHandle, bytes: number, name: string) => Promise<T>,
  name = path.basename(file),
): Promise<T> {
  return reading(name, async () => {
    const handle = await open(file);
    try {
      return await use(handle, (await handle.stat()).size, name);
    } finally {
      await handle.close();
    }
  });
}

/** Its header, and the byte after it. */
export async function readHeader(handle: FileHandle, fileBytes: number) {
  const first = new Uint8Array(Math.min(LENGTH_BYTES, fileBytes));
  await readWhole(handle, first, 0);
  const json = new Uint8Array(headerLength(first, fileBytes));
  await readWhole(handle, json, LENGTH_BYTES);
  const dataBegin = LENGTH_BYTES + json.length;
  return { ...parseHeader(json, fileBytes - dataBegin), dataBegin };
}

/** SHA-256 (hex) of what comes `before`, then of the file's bytes from `begin` to its end. */
export async function hashOf(
  handle: FileHandle,
  fileBytes: number,
  begin = 0,
  before: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const hash = createHash('sha256').update(before);
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, fileBytes));
  for (let at = begin; at < fileBytes; at += chunk.length) {
    const part = chunk.subarray(0, fileBytes - at);
    await readWhole(handle, part, at);
    hash.update(part);
  }
  return hash.digest('hex');
}

async function readWhole(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) throw new Damage(`a file ended at byte ${position + filled} while it was read`);
    filled += bytesRead;
  }
}
