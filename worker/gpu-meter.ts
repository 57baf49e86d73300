import { execFile } from 'node:child_process';
import type { GpuUse } from '../shared/protocol/messages.js';

const EVERY_MS = 5000;
const ANSWER_MS = 10_000;
/** A driver that hangs answers no more, and what it said before is no longer so. */
const STALE_MS = 30_000;
const MIB = 2 ** 20;
const QUERY = 'utilization.gpu,memory.used,memory.total,temperature.gpu';

/**
 * How an NVIDIA GPU is doing, as nvidia-smi says every few seconds. Where there is no nvidia-smi, or it doesn't know, nothing is known and
 * nothing is said.
 */
export class GpuMeter {
  readonly #gpu: string;
  #use: GpuUse | undefined;
  #saidAt = 0;
  #next: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param gpu as nvidia-smi names it: an index by PCI bus, or a UUID */
  constructor(gpu: string) {
    this.#gpu = gpu;
    this.#ask();
  }

  /** What was said last, while that is not long ago. */
  get use(): GpuUse | undefined {
    return performance.now() - this.#saidAt < STALE_MS ? this.#use : undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#next);
  }

  #ask(): void {
    const args = ['-i', this.#gpu, `--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'];
    execFile('nvidia-smi', args, { timeout: ANSWER_MS, windowsHide: true }, (error, answer) => {
      this.#use = error ? undefined : gpuUseOf(answer);
      this.#saidAt = performance.now();
      const isThere = (error as NodeJS.ErrnoException | null)?.code !== 'ENOENT';
      if (isThere && !this.#closed) this.#next = setTimeout(() => this.#ask(), EVERY_MS).unref();
    });
  }
}

/** From a line of nvidia-smi: percent, MiB, MiB, degrees Celsius; what the GPU doesn't tell is `[N/A]` there. */
export function gpuUseOf(line: string): GpuUse | undefined {
  const [use, memoryUsed, memory, celsius] = line
    .split('\n', 1)[0]!
    .split(',')
    .map((text) => (/^\s*\d+\s*$/.test(text) ? Number(text) : undefined));
  const told = {
    ...(use !== undefined && use <= 100 && { use: use / 100 }),
    ...(memoryUsed !== undefined && { memoryUsed: memoryUsed * MIB }),
    ...(memory !== undefined && { memory: memory * MIB }),
    ...(celsius !== undefined && { celsius }),
  };
  return Object.keys(told).length > 0 ? told : undefined;
}

/** Which of nvidia-smi's GPUs is the process's GPU of this index. */
export function gpuNameOf(index: number, visible = process.env.CUDA_VISIBLE_DEVICES): string {
  return visible?.split(',')[index]?.trim() || String(index);
}
