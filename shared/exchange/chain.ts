import { createHash } from 'node:crypto';

/** Where the chain of a fresh run starts. */
export const CHAIN_START = '0'.repeat(64);

/**
 * Links a committed step to all before it: SHA-256 over the previous link, the step, the checksums of all that was published
 * (each bucket of the average, then the two frames of the examples' statistics), and the numbers of the update. Two replicas
 * with the same link have applied the same steps.
 */
export function nextLink(
  previous: string,
  step: number,
  checksums: readonly number[],
  update: Readonly<Record<string, number>>,
): string {
  const numbers = Object.entries(update).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([previous, step, checksums, numbers]))
    .digest('hex');
}
