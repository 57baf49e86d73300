import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type * as Ort from 'onnxruntime-web/wasm';
import { UserError } from '../errors.js';
import { SELF_TEST_SHA256, selfTestCall, selfTestModel } from './exact-self-test.js';

/** Another version computes other bits. */
const VERSION = '1.30.0';
const REMEDY = `Install ardm's packages again, which hold it: npm ci in a clone, npm install ardm elsewhere.`;
export const RUNTIME = `onnxruntime-web ${VERSION}`;
export const WASM_SHA256 = '3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2';

export type Runtime = typeof Ort;

/** One thread, and the same steps wherever a session is made: all that the bits depend on besides the graph. */
export const SESSION_OPTIONS = {
  executionProviders: ['wasm'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
} as const satisfies Ort.InferenceSession.SessionOptions;

let loading: Promise<Runtime> | undefined;

/**
 * ONNX Runtime's WebAssembly, of the one version and build whose bits are known, proved on this machine. Loaded once.
 *
 * Throws UserError where it is missing, is another, does not start, or computes other bits.
 */
export function loadRuntime(): Promise<Runtime> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Runtime> {
  const ort = await findRuntime();
  ort.env.logLevel = 'fatal';
  // Unset, it depends on the number of cores.
  ort.env.wasm.numThreads = 1;
  const url = new URL('ort-wasm-simd-threaded.wasm', import.meta.resolve('onnxruntime-web/wasm'));
  const wasm = await readFile(url);
  checkRuntime(ort.env.versions.web, wasm);
  ort.env.wasm.wasmBinary = wasm;
  await proveRuntime(ort);
  return ort;
}

async function findRuntime(): Promise<Runtime> {
  try {
    return await import('onnxruntime-web/wasm');
  } catch (error) {
    throw new UserError(`${RUNTIME} does not load: ${words(error)} ${REMEDY}`);
  }
}

/** Throws UserError unless version and WebAssembly are those that are pinned. */
export function checkRuntime(version: string | undefined, wasm: Uint8Array): void {
  const found = sha256(wasm);
  if (version === VERSION && found === WASM_SHA256) return;
  const what =
    version === VERSION ? `a WebAssembly of SHA-256 ${found}, not ${WASM_SHA256},` : `version ${version}`;
  throw new UserError(
    `onnxruntime-web has ${what} here, but only ${VERSION} as it was published gives the same bits on every machine. ${REMEDY}`,
  );
}

/** Throws UserError where the self-test does not start or gives other bits than everywhere else. */
export async function proveRuntime(ort: Pick<Runtime, 'InferenceSession' | 'Tensor'>): Promise<void> {
  let found: string;
  try {
    const session = await ort.InferenceSession.create(selfTestModel(), SESSION_OPTIONS);
    const results = await session.run(selfTestCall(ort));
    await session.release();
    found = sha256(...session.outputNames.map((name) => results[name]!.data as Float32Array));
  } catch (error) {
    throw new UserError(`${RUNTIME} does not run on ${platform()}: ${words(error)}`);
  }
  if (found !== SELF_TEST_SHA256)
    throw new UserError(
      `${RUNTIME} computes other bits on ${platform()} than on every machine that was tried, so that no other could read what is compressed here, and nothing from elsewhere could be read. Another version of Node.js may help. (Self-test: ${found})`,
    );
}

/** SHA-256 of the arrays' bytes, one after another, in hexadecimal. */
export function sha256(...arrays: readonly (Uint8Array | Float32Array)[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}

function platform(): string {
  return `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
