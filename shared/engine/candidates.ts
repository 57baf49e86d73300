import { createRequire } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../package.js';
import { EngineError, type Engine, type EngineName, type Provider } from './engine.js';
import { prepareCuda } from './environment.js';
import type { OnnxruntimeOptions } from './onnxruntime.js';
import { createTensorflowEngine } from './tensorflow.js';
import { vulkanDevices } from './vulkan.js';

/** What a candidate is started with. */
export interface Start {
  /** Index of the GPU, for those that compute on one. */
  readonly gpu: number;
  /** Threads, for those that compute on the CPU. */
  readonly threads: number;
  /** WebGPU may take a software device. */
  readonly software: boolean;
}

/** An engine on a kind of device. */
export interface Candidate {
  readonly engine: EngineName;
  readonly provider: Provider;
  /** Throws EngineError where this machine lacks what it takes. */
  start(options: Start): Promise<Engine>;
  /** What it takes, with the command that installs it. */
  remedy(): string;
}

const script = (name: string) => path.join(packageRoot, 'scripts', name);

/** All that can train, the best first. */
export const candidates: readonly Candidate[] = [
  {
    engine: 'onnxruntime',
    provider: 'cuda',
    start({ gpu }) {
      prepareCuda();
      return startOnnxruntime({ provider: 'cuda', device: gpu, threads: 1 });
    },
    remedy: () => `NVIDIA's driver, CUDA 12 with cuDNN 9, and: ${cudaInstallation()}`,
  },
  {
    engine: 'tensorflow',
    provider: 'cuda',
    start: ({ gpu }) => createTensorflowEngine({ gpu }),
    remedy: () => `NVIDIA's driver, and: bash ${script('build-tfjs-node.sh')} gpu`,
  },
  {
    engine: 'onnxruntime',
    provider: 'webgpu',
    start: startWebgpu,
    remedy: () =>
      process.platform === 'linux'
        ? "the GPU's Vulkan driver and its loader (Debian, Ubuntu: apt-get install libvulkan1 mesa-vulkan-drivers)"
        : "the GPU's driver",
  },
  {
    engine: 'onnxruntime',
    provider: 'cpu',
    start: ({ threads }) => startOnnxruntime({ provider: 'cpu', threads }),
    remedy: () => `node ${script('install-engine.mjs')}`,
  },
  {
    engine: 'tensorflow',
    provider: 'cpu',
    start: ({ threads }) => createTensorflowEngine({ threads }),
    remedy: () => `bash ${script('build-tfjs-node.sh')} cpu`,
  },
];

/** ONNX Runtime comes in at the last moment: where it is missing or can't load, other engines still can. */
async function startOnnxruntime(options: OnnxruntimeOptions): Promise<Engine> {
  let onnxruntime;
  try {
    onnxruntime = await import('./onnxruntime.js');
  } catch (error) {
    throw new EngineError(
      `onnxruntime-node does not load: ${error instanceof Error ? error.message : error}`,
    );
  }
  return onnxruntime.createOnnxruntimeEngine(options);
}

/** Elsewhere than on Linux WebGPU stands on the system's own Metal or Direct3D, and only GPUs offer that. */
async function startWebgpu({ gpu, software }: Start): Promise<Engine> {
  if (process.platform === 'linux') {
    const devices = vulkanDevices();
    if (devices.length === 0) throw new EngineError('Vulkan, on which WebGPU stands, finds no device.');
    if (!software && devices.every((device) => device.software))
      throw new EngineError(
        `there is only ${devices[0]!.name}, which computes on the CPU; --provider webgpu takes it all the same.`,
      );
  }
  return startOnnxruntime({ provider: 'webgpu', device: gpu, threads: 1 });
}

/** onnxruntime-node's own installer of its CUDA libraries; its package leaves them out. */
function cudaInstallation(): string {
  try {
    const folder = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
    return `node ${path.join(folder, 'script', 'install.js')} --onnxruntime-node-install`;
  } catch {
    return `node ${script('install-engine.mjs')}`;
  }
}
