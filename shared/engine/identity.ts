import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { version } from '../package.js';
import type { Engine, Executable } from './engine.js';
import { ExactExecutable } from './exact.js';
import { RUNTIME, sha256, WASM_SHA256 } from './exact-runtime.js';
import { vulkanDevices } from './vulkan.js';

/** What two machines must have in common so that one decodes what the other encoded. */
export type EngineIdentity =
  | {
      readonly kind: 'exact';
      /** `onnxruntime-web 1.30.0` */
      readonly runtime: string;
      /** SHA-256 of the WebAssembly. */
      readonly wasm: string;
      /** SHA-256 of the program's ONNX model, parameters left out. */
      readonly graph: string;
    }
  | {
      readonly kind: 'fast';
      /** Engine, processor and versions, in words: what may change a bit. */
      readonly fingerprint: string;
    };

/** The identity of a program that an engine has compiled. */
export function identityOf(engine: Engine, executable: Executable): EngineIdentity {
  if (executable instanceof ExactExecutable)
    return { kind: 'exact', runtime: RUNTIME, wasm: WASM_SHA256, graph: executable.graphHash };
  return { kind: 'fast', fingerprint: `${engine.description}; ${deviceOf(engine)}; ardm ${version}` };
}

/** What computes, with its driver's version where it has one. */
function deviceOf({ provider }: Engine): string {
  if (provider === 'cuda') return nvidiaGpus();
  if (provider === 'webgpu')
    return `${process.platform}, ${vulkanDevices()
      .map(({ name }) => name)
      .join(', ')}`;
  return `${process.arch}, ${cpus()[0]?.model.trim()}${vectorExtensions()}`;
}

/** Processors of one name may still differ in what a virtual machine lets through. Known on Linux only. */
function vectorExtensions(): string {
  const [, flags] = /^(?:flags|Features)\s*:(.*)$/m.exec(read('/proc/cpuinfo')) ?? [];
  if (!flags) return '';
  const vector = flags
    .split(' ')
    .filter((flag) => /^(sse|ssse|avx|fma|f16c|amx|asimd|sve|sme|bf16)/.test(flag));
  return ` with ${sha256(Buffer.from(vector.sort().join(' '))).slice(0, 8)}`;
}

function nvidiaGpus(): string {
  const folder = '/proc/driver/nvidia';
  const models = list(`${folder}/gpus`).map((bus) => {
    const [, model] = /^Model:\s*(.*)$/m.exec(read(`${folder}/gpus/${bus}/information`)) ?? [];
    return model;
  });
  const [driver] = /\d+\.\d+[.\d]*/.exec(read(`${folder}/version`)) ?? [];
  return `${models.join(', ')}, driver ${driver}`;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
