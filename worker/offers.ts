import type { ToWorker } from '../shared/protocol/messages.js';

/** What a worker knows of the work that it can be dealt. */
export interface Terms {
  readonly slices: number;
  /** Examples a slice. */
  readonly sliceSize: number;
  readonly exampleBytes: number;
}

/** What is wrong with a deal; undefined: it can be computed. */
export function dealProblem(
  { begin, end }: ToWorker & { type: 'deal' },
  examples: Uint8Array | undefined,
  { slices, sliceSize, exampleBytes }: Terms,
): string | undefined {
  if (begin >= end || end > slices) return `slices ${begin} to ${end} of ${slices}`;
  const expected = (end - begin) * sliceSize * exampleBytes;
  return sizeProblem(examples, expected);
}

/** What is wrong with a task; undefined: it can be performed. */
export function taskProblem(
  { task }: ToWorker & { type: 'task' },
  examples: Uint8Array | undefined,
  { exampleBytes }: Terms,
): string | undefined {
  return task.kind === 'evaluate' ? sizeProblem(examples, task.count * exampleBytes) : undefined;
}

function sizeProblem(examples: Uint8Array | undefined, expected: number): string | undefined {
  const found = examples?.byteLength ?? 0;
  return found === expected ? undefined : `${found} bytes of examples instead of ${expected}`;
}
