/** Stands before each line of the process of a GPU where several write to one place. */
export const gpuPrefix = (gpu: number): string => `gpu ${gpu} |`;

/** Takes `gpuPrefix` off a line; no `gpu` where there was none. */
export function takeGpuPrefix(line: string): { readonly gpu?: number; readonly text: string } {
  const found = /^gpu (\d+) \| ?(.*)$/s.exec(line);
  return found ? { gpu: Number(found[1]), text: found[2]! } : { text: line };
}
