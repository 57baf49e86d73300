import { UsageError, UserError } from '../errors.js';
import { candidates } from './candidates.js';
import type { Engine, Provider } from './engine.js';
import { proveEngine } from './proof.js';

/** What a person asked for; nothing means the first GPU that works, else the CPU. */
export interface EngineChoice {
  /** Index of the GPU, counted from 0. */
  readonly gpu?: number;
  readonly cpu?: boolean;
  readonly engine?: 'onnxruntime' | 'tensorflow';
  readonly provider?: Provider;
  /** Threads of an operation, on the CPU. */
  readonly threads: number;
}

export interface Selected {
  readonly engine: Engine;
  /** The same call gives the same bytes twice. */
  readonly repeatable: boolean;
}

/**
 * The first engine that fits the choice and passes its self-test, in this order: CUDA by onnxruntime, CUDA by
 * tensorflow, WebGPU on a hardware device, the CPU. Never one on the CPU where a GPU was asked for.
 *
 * Throws UsageError for a choice that contradicts itself; UserError with what was looked for, what was wrong and what
 * to install where none passes.
 */
export async function selectEngine(choice: EngineChoice): Promise<Selected> {
  const { gpu, cpu = false, threads } = choice;
  const onGpu = gpu !== undefined || (choice.provider !== undefined && choice.provider !== 'cpu');
  const fitting = candidates.filter(({ engine, provider }) => {
    if (provider === 'cpu' ? onGpu : cpu) return false;
    if (provider !== (choice.provider ?? provider)) return false;
    // On CPUs tensorflow is for those who name it: it is slower, and its bits are others.
    return engine === (choice.engine ?? (provider === 'cpu' ? 'onnxruntime' : engine));
  });
  if (fitting.length === 0)
    throw new UsageError(`${flagsOf(choice)} contradict each other: no engine fits them all.`);

  const failures: string[] = [];
  for (const { engine: name, provider, start, remedy } of fitting) {
    try {
      const engine = await start({ gpu: gpu ?? 0, threads, software: choice.provider === 'webgpu' });
      // One kind of CPU always gives the same bytes: proving that at each start would only cost time.
      if (name === 'onnxruntime' && provider === 'cpu') return { engine, repeatable: true };
      const { repeatable } = await proveEngine(engine);
      return { engine, repeatable };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`  ${name}, ${provider}: ${reason}\n    It takes ${remedy()}`);
    }
  }
  const wanted = onGpu ? `GPU ${gpu ?? 0}` : 'engine';
  const other = onGpu
    ? '\n--cpu trains without one. `ardm doctor` tells more.'
    : '\n`ardm doctor` tells more.';
  throw new UserError(`There is no ${wanted} to compute on. Tried:\n${failures.join('\n')}${other}`);
}

function flagsOf({ gpu, cpu, engine, provider }: EngineChoice): string {
  return Object.entries({ gpu, cpu, engine, provider })
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`))
    .join(' ');
}
