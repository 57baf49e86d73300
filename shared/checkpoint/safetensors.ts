/**
 * The header of a safetensors file: 8 bytes of length (little-endian), a JSON object padded with spaces, then the tensors'
 * bytes without gaps. Files may come from anywhere, so every rule of the format is checked before a byte is used.
 */

/** A file that breaks a rule of the format; the message names it. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

/** Of one element. Types of less than a byte are not read. */
const BYTES: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1, F8_E8M0: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8, C64: 8 },
};

export interface TensorHeader {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface PlacedTensor extends TensorHeader {
  /** First byte, and the one after the last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly tensors: readonly PlacedTensor[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes of the length before the header. */
export const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
/** Of objects and lists: the header, a tensor, its shape. */
const MAX_DEPTH = 3;
/** Readers map the tensors into memory, which wants them aligned. */
const ALIGNMENT = 8;

const refuse = (reason: string): never => {
  throw new SafetensorsError(reason);
};

/** What a file says goes into messages, and from there to terminals. */
const brief = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}...` : text);
const quote = (text: string) => JSON.stringify(brief(text));

/** The beginning of a file that holds the tensors one after another: length and header. */
export function encodeHeader(
  tensors: readonly TensorHeader[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = begin + bytesOf(name, dtype, shape);
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const bytes = Buffer.alloc(LENGTH_BYTES + ALIGNMENT * Math.ceil(json.length / ALIGNMENT), ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - LENGTH_BYTES));
  json.copy(bytes, LENGTH_BYTES);
  return bytes;
}

/** Length of the header of a file of `fileBytes`, from its first 8 bytes. */
export function headerLength(first: Uint8Array, fileBytes: number): number {
  if (first.length < LENGTH_BYTES) refuse(`it ends after ${first.length} bytes`);
  const length = Buffer.from(first.buffer, first.byteOffset).readBigUInt64LE();
  if (length > MAX_HEADER_BYTES) refuse(`its header claims ${length} bytes, over ${MAX_HEADER_BYTES}`);
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    refuse(`its header claims ${length} bytes, the file has ${fileBytes}`);
  }
  return Number(length);
}

/** Reads the JSON after the length, in front of `dataBytes` bytes of tensors. */
export function parseHeader(json: Uint8Array, dataBytes: number): Header {
  const text = decodeUtf8(json);
  if (!text.startsWith('{')) refuse('its header does not begin with {');
  const header = parseJson(text);
  const metadata = new Map<string, string>();
  const tensors: PlacedTensor[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') {
      tensors.push(placedTensor(name, entry));
      continue;
    }
    if (!isObject(entry)) refuse('its metadata is no object');
    for (const [key, value] of Object.entries(entry as object)) {
      metadata.set(key, typeof value === 'string' ? value : refuse(`metadata ${quote(key)} is no string`));
    }
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== position) {
      refuse(
        `tensor ${quote(name)} begins at byte ${begin}, ${begin < position ? 'inside the' : 'not at the end of the'} one before, which ends at ${position}`,
      );
    }
    position = end;
  }
  if (position !== dataBytes) refuse(`its tensors end at byte ${position}, its data at ${dataBytes}`);
  return { tensors, metadata };
}

function placedTensor(name: string, entry: unknown): PlacedTensor {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  if (typeof dtype !== 'string') return refuse(`tensor ${quote(name)} has no dtype`);
  if (!isCounts(shape)) return refuse(`tensor ${quote(name)} has no shape of whole numbers`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse(`tensor ${quote(name)} has no pair of data_offsets`);
  const [begin, end] = offsets;
  const bytes = bytesOf(name, dtype, shape);
  if (end - begin !== bytes) {
    refuse(
      `tensor ${quote(name)}, ${dtype} [${brief(shape.join(', '))}], takes ${bytes} bytes, its data_offsets are ${begin} to ${end}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function bytesOf(name: string, dtype: string, shape: readonly number[]): number {
  let bytes = Object.hasOwn(BYTES, dtype)
    ? BYTES[dtype]!
    : refuse(`tensor ${quote(name)} is of unknown dtype ${quote(dtype)}`);
  for (const extent of shape) {
    bytes *= extent;
    if (!Number.isSafeInteger(bytes))
      refuse(`tensor ${quote(name)} has a shape too large to count: [${brief(shape.join(', '))}]`);
  }
  return bytes;
}

type JsonObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('its header is not UTF-8');
  }
}

function parseJson(text: string): JsonObject {
  refuseDuplicateKeys(text);
  try {
    return JSON.parse(text) as JsonObject;
  } catch (error) {
    return refuse(`its header is not JSON: ${(error as Error).message}`);
  }
}

/** Before JSON.parse, which keeps the last of equal keys in silence and takes any depth. The text may be anything. */
function refuseDuplicateKeys(text: string): void {
  const open: Set<string>[] = [];
  let string = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(new Set());
      if (open.length > MAX_DEPTH) refuse(`its header is nested deeper than ${MAX_DEPTH}`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const begin = at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      string = text.slice(begin, at + 1);
    } else if (character === ':') {
      const keys = open.at(-1);
      const key = unescaped(string);
      if (keys?.has(key)) refuse(`its header has ${quote(key)} twice`);
      keys?.add(key);
    }
  }
}

function unescaped(string: string): string {
  try {
    return String(JSON.parse(string));
  } catch {
    return refuse('its header is not JSON: a key is no string');
  }
}
