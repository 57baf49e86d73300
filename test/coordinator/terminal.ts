import type { Output } from '../../coordinator/status-line.js';

/** A terminal that remembers what was written to it; `fail` is what a write to a closed one does. */
export function terminal(columns?: number, isTTY = true) {
  const written: string[] = [];
  const listeners: (() => void)[] = [];
  const output: Output = {
    write: (text) => written.push(text),
    on: (_, listener) => listeners.push(listener),
    isTTY,
    columns,
  };
  return Object.assign(output, { written, fail: () => listeners.forEach((listener) => listener()) });
}

/** The lines that one sees: of each, what was written after it was last erased. */
export function screenOf({ written }: { readonly written: readonly string[] }): string[] {
  return written
    .join('')
    .split('\n')
    .map((line) => line.split('\r\x1b[2K').at(-1)!);
}
