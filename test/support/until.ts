import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `what` is so: for as long as a crowded machine may take, and no longer. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seconds = 120,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await isSo()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain until ${what}`);
  }
}
