import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import { defaultCacheFolder } from '../cache-folder.js';
import { tf } from '../networks/tensors.js';
import { Eager } from './eager.js';
import { EngineError, type Engine } from './engine.js';
import { exportVariable, prepareCuda } from './environment.js';

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
/** What the first call in this thread asked for: the native library keeps to it. */
let loaded: TensorflowOptions | undefined;

/**
 * Programs run operation by operation by TensorFlow's native library, through `@tensorflow/tfjs-node-gpu` or, on the
 * CPU, `@tensorflow/tfjs-node`.
 *
 * Throws EngineError where neither is there, and where a GPU is wanted that TensorFlow doesn't use. A process has one
 * TensorFlow, which sees the devices of the first call.
 */
export async function createTensorflowEngine(options: TensorflowOptions): Promise<Engine> {
  const { gpu, threads = 1 } = options;
  if (!loaded) {
    load(options);
    loaded = options;
  }
  await tf.setBackend(BACKEND);
  const { isUsingGpuDevice } = tf.backend() as unknown as NativeBackend;
  if (isUsingGpuDevice ? gpu !== loaded.gpu : gpu !== undefined)
    throw new EngineError(
      isUsingGpuDevice
        ? `TensorFlow already runs on GPU ${loaded.gpu}, and a process has one device.`
        : `TensorFlow found no GPU ${gpu} that it can use; it would compute on the CPU.`,
    );
  const where = gpu === undefined ? `cpu, ${threads} thread${threads === 1 ? '' : 's'}` : `cuda, GPU ${gpu}`;
  return {
    name: 'tensorflow',
    provider: gpu === undefined ? 'cpu' : 'cuda',
    description: `tensorflow, tfjs-node ${tf.version.tfjs}, ${where}`,
    compile: (program) => Promise.resolve(new Eager(program, BACKEND)),
    dispose: () => Promise.resolve(),
  };
}

/** The folder of tfjs-node: npm's own, else what scripts/build-tfjs-node.sh built; undefined where there is none. */
export function findNativePackage(onGpu: boolean): string | undefined {
  const built = process.env.ARDM_TFJS_NODE ?? path.join(defaultCacheFolder(), 'tfjs-node');
  const gpu = path.join(built, 'gpu/node_modules/@tensorflow/tfjs-node-gpu');
  const cpu = path.join(built, 'cpu/node_modules/@tensorflow/tfjs-node');
  const folders = onGpu ? [gpu] : [cpu, gpu];
  try {
    folders.unshift(path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')));
  } catch {
    // npm leaves the optional dependency out where its installer could not download TensorFlow.
  }
  return folders.find((folder) => existsSync(path.join(folder, 'lib')));
}

function load({ gpu, threads = 1 }: TensorflowOptions): void {
  const folder = findNativePackage(gpu !== undefined);
  if (!folder)
    throw new EngineError(`no @tensorflow/tfjs-node${gpu === undefined ? '' : '-gpu'} is installed.`);
  for (const [name, value] of Object.entries({
    TF_CPP_MIN_LOG_LEVEL: '1',
    TF_NUM_INTRAOP_THREADS: `${threads}`,
    TF_NUM_INTEROP_THREADS: '1',
    CUDA_VISIBLE_DEVICES: gpu === undefined ? '-1' : visibleDevice(gpu),
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    TF_DETERMINISTIC_OPS: '1',
  }))
    exportVariable(name, value);
  prepareCuda();
  // Node 23 took away this function, which tfjs-node calls.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === undefined || value === null });
  shareTensorflowJs(createRequire(path.join(folder, 'package.json')));
  require(folder);
}

/** The GPU as CUDA names it, counted, as CUDA does, among those that the environment leaves visible. */
function visibleDevice(gpu: number): string {
  const visible = process.env.CUDA_VISIBLE_DEVICES?.split(',') ?? [];
  if (visible.length > 0 && visible[gpu] === undefined)
    throw new EngineError(`CUDA_VISIBLE_DEVICES=${visible} shows no GPU ${gpu}, counted from 0.`);
  return visible[gpu] ?? `${gpu}`;
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
