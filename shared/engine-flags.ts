import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { wholeNumber } from './cli.js';
import type { EngineChoice } from './engine/select.js';

/** What `addEngineFlags` adds to a command's options. */
export type EngineFlags = Omit<EngineChoice, 'threads'> & { readonly threads?: number };

/** Reads the number of a GPU. */
export const gpuNumber = wholeNumber(0, 1023);

const oneGpu = () => new Option('--gpu <n>', 'compute on this GPU, counted from 0').argParser(gpuNumber);

/** Flags that say what computes; `gpu` may take more than one. */
export function addEngineFlags(command: Command, gpu: Option = oneGpu()): Command {
  return command
    .addOption(gpu.conflicts('cpu'))
    .option('--cpu', 'compute on the CPU')
    .addOption(new Option('--engine <name>', 'what computes').choices(['onnxruntime', 'tensorflow']))
    .addOption(new Option('--provider <name>', 'what it computes through').choices(['cuda', 'webgpu', 'cpu']))
    .option('--threads <n>', 'CPU threads to compute with (default: all)', wholeNumber(1, 1024));
}

/** The choice that the flags make. */
export function engineChoice({ gpu, cpu, engine, provider, threads }: EngineFlags): EngineChoice {
  return { gpu, cpu, engine, provider, threads: threads ?? availableParallelism() };
}
