import { constants, brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import type { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

/** More steps than the largest model has. */
const MAX_STEPS = 2 ** 20;
const MAX_STEP = 2 ** 31 - 1;
const MAX_NUMBER_BYTES = 5;

/** How the distances from call to call are written. */
const FORM = { listed: 0, packed: 1, equal: 2 } as const;

/** Writes a policy: how many calls, and the distance of each from the one before; one alone where all are the same, else packed where that is shorter. */
export function writeSteps(writer: ByteWriter, policy: Int32Array): void {
  const distances = policy.subarray(1).map((step, j) => step - policy[j]!);
  writer.number(policy.length);
  if (distances.length > 0 && distances.every((distance) => distance === distances[0])) {
    writer.number(FORM.equal).number(distances[0]!);
    return;
  }
  const listed = distances.reduce((list, distance) => list.number(distance), new ByteWriter()).finish();
  const packed = brotliCompressSync(listed, { params: { [constants.BROTLI_PARAM_LGWIN]: 16 } });
  if (packed.length < listed.length) writer.number(FORM.packed).sized(packed);
  else writer.number(FORM.listed).bytes(listed);
}

/** Reads a policy: increasing steps from 0 on. Whether it fits the model is for `checkPolicy`. */
export function readSteps(reader: ByteReader): Int32Array {
  const numCalls = reader.number('a number of network calls', MAX_STEPS);
  if (numCalls === 0) throw reader.error('has no network calls');
  const form = reader.number('a form of steps', FORM.equal);
  const isPacked = form === FORM.packed;
  const distances = isPacked ? reader.nested(unpack(reader), 'the list of steps') : reader;
  const policy = new Int32Array(numCalls);
  let distance = 0;
  for (let j = 1; j < numCalls; j++) {
    if (j === 1 || form !== FORM.equal) distance = distances.number('a distance', MAX_STEP);
    policy[j] = policy[j - 1]! + distance;
    if (!(policy[j]! > policy[j - 1]!))
      throw reader.error('has network calls that do not follow one another');
  }
  if (isPacked) distances.end();
  return policy;
}

function unpack(reader: ByteReader): Uint8Array {
  const bytes = reader.sized('steps');
  try {
    return brotliDecompressSync(bytes, { maxOutputLength: MAX_STEPS * MAX_NUMBER_BYTES });
  } catch {
    throw reader.error('has steps that can’t be unpacked');
  }
}
