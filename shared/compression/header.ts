import { createHash } from 'node:crypto';
import type { EngineIdentity } from '../engine/identity.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { CodingPlan, FileCoder } from './file-coder.js';
import { readSteps, writeSteps } from './steps.js';

const MODEL_BYTES = 8;
const ENGINE_BYTES = 4;
const WORD = 2 ** 32 - 1;
const MAX_BATCH = 2 ** 16;

/** What had computed the probabilities, as far as a compressed file tells: the first 8 digits of a hash, or a fingerprint in words. */
export type EngineMark =
  | { readonly kind: 'exact'; readonly digest: string }
  | { readonly kind: 'fast'; readonly fingerprint: string };

/** What a compressed file says of all its entries. */
export interface Header {
  /** The version of this package that wrote it. */
  readonly version: string;
  /** The first 16 digits of the model's hash. */
  readonly model: string;
  readonly engine: EngineMark;
  readonly plan: CodingPlan;
}

/** The header of what a coder will code. */
export function headerOf(version: string, { modelHash, engine, plan }: FileCoder): Header {
  return { version, model: modelMark(modelHash), engine: markOf(engine), plan };
}

/** As much of a model's hash as a compressed file holds. */
export const modelMark = (hash: string): string => hash.slice(0, 2 * MODEL_BYTES);

export function markOf(identity: EngineIdentity): EngineMark {
  if (identity.kind === 'fast') return identity;
  const { runtime, wasm, graph } = identity;
  const hash = createHash('sha256').update([runtime, wasm, graph].join('\n')).digest('hex');
  return { kind: 'exact', digest: hash.slice(0, 2 * ENGINE_BYTES) };
}

export function writeHeader({ version, model, engine, plan }: Header): Uint8Array {
  const writer = new ByteWriter().text(version).bytes(Buffer.from(model, 'hex'));
  if (engine.kind === 'exact') writer.number(0).bytes(Buffer.from(engine.digest, 'hex'));
  else writer.number(1).text(engine.fingerprint);
  writer.number(plan.seed).number(plan.batch);
  writeSteps(writer, plan.policy);
  return writer.finish();
}

/** @throws CompressionError */
export function readHeader(bytes: Uint8Array, where: string): Header {
  const reader = new ByteReader(bytes, where);
  const version = reader.text('a version');
  const model = Buffer.from(reader.bytes(MODEL_BYTES)).toString('hex');
  const isFast = reader.number('a kind of engine', 1) === 1;
  const engine: EngineMark = isFast
    ? { kind: 'fast', fingerprint: reader.text('a fingerprint') }
    : { kind: 'exact', digest: Buffer.from(reader.bytes(ENGINE_BYTES)).toString('hex') };
  const seed = reader.number('a seed', WORD);
  const batch = reader.number('a batch', MAX_BATCH);
  if (batch === 0) throw reader.error('has a batch of no examples');
  const policy = readSteps(reader);
  reader.end();
  return { version, model, engine, plan: { seed, batch, policy } };
}
