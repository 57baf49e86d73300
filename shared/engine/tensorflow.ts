import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import { defaultCacheFolder } from '../cache-folder.js';
import { tf } from '../networks/tensors.js';
import { Eager } from './eager.js';
import { EngineError, type Engine } from './engine.js';
import { exportVariable } from './environment.js';

export interface TensorflowOptions {
  /** Index of the GPU; absent: on the CPU. */
  readonly gpu?: number;
  /** Threads, on the CPU. */
  readonly threads?: number;
}

/** What tfjs-node's backend says of itself. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
}

const require = createRequire(import.meta.url);
const BACKEND = 'tensorflow';

/**
 * Programs run operation by operation by TensorFlow's native library, through `@tensorflow/tfjs-node-gpu` or, on the
 * CPU, `@tensorflow/tfjs-node`.
 *
 * Throws EngineError where neither is there, and where a GPU is wanted that TensorFlow doesn't use. A process has one
 * TensorFlow, which sees the devices of the first call.
 */
export async function createTensorflowEngine({ gpu, threads = 1 }: TensorflowOptions): Promise<Engine> {
  if (!tf.findBackend(BACKEND)) load(gpu, threads);
  await tf.setBackend(BACKEND);
  const { isUsingGpuDevice } = tf.backend() as unknown as NativeBackend;
  if (gpu !== undefined && !isUsingGpuDevice)
    throw new EngineError(`TensorFlow found no GPU ${gpu} that it can use and would compute on the CPU.`);
  const where = gpu === undefined ? `cpu, ${threads} thread${threads === 1 ? '' : 's'}` : `cuda, GPU ${gpu}`;
  return {
    name: 'tensorflow',
    provider: gpu === undefined ? 'cpu' : 'cuda',
    description: `tensorflow, tfjs-node ${tf.version.tfjs}, ${where}`,
    compile: (program) => Promise.resolve(new Eager(program, BACKEND)),
    dispose: () => Promise.resolve(),
  };
}

/** Where tfjs-node is looked for, in this order: npm's own place, then where scripts/build-tfjs-node.sh builds it. */
export function nativePackages(onGpu: boolean): string[] {
  const built = process.env.ARDM_TFJS_NODE ?? path.join(defaultCacheFolder(), 'tfjs-node');
  const gpu = path.join(built, 'gpu/node_modules/@tensorflow/tfjs-node-gpu');
  const cpu = path.join(built, 'cpu/node_modules/@tensorflow/tfjs-node');
  const folders = onGpu ? [gpu] : [cpu, gpu];
  try {
    folders.unshift(path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')));
  } catch {
    // npm leaves the optional dependency out where its installer could not download TensorFlow.
  }
  return folders.filter((folder) => existsSync(path.join(folder, 'lib')));
}

function load(gpu: number | undefined, threads: number): void {
  const [folder] = nativePackages(gpu !== undefined);
  if (!folder)
    throw new EngineError(`no @tensorflow/tfjs-node${gpu === undefined ? '' : '-gpu'} is installed.`);
  for (const [name, value] of Object.entries({
    TF_CPP_MIN_LOG_LEVEL: '1',
    TF_NUM_INTRAOP_THREADS: `${threads}`,
    TF_NUM_INTEROP_THREADS: '1',
    // The GPUs that CUDA shows to TensorFlow; none for '-1'.
    CUDA_VISIBLE_DEVICES: `${gpu ?? -1}`,
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    TF_DETERMINISTIC_OPS: '1',
    NVIDIA_TF32_OVERRIDE: '0',
  }))
    exportVariable(name, value);
  // Node 23 took away this function, which tfjs-node calls.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === undefined || value === null });
  shareTensorflowJs(createRequire(path.join(folder, 'package.json')));
  require(folder);
}

/** Makes the TensorFlow.js of this process also the one of a package elsewhere, which may have brought its own. */
function shareTensorflowJs(theirs: NodeJS.Require): void {
  const { version } = theirs('./package.json') as { version: string };
  if (version !== tf.version.tfjs)
    throw new EngineError(
      `tfjs-node ${version} doesn't fit TensorFlow.js ${tf.version.tfjs}: it must be the same.`,
    );
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core'])
    require.cache[theirs.resolve(name)] = require.cache[require.resolve(name)];
}
