import { subtreesOf, type TreeNode } from '../shared/exchange/tree.js';
import type { FromWorker, GpuUse } from '../shared/protocol/messages.js';
import type { SharedBuffers } from '../shared/exchange/shared-memory.js';
import type { Gathering } from './gathering.js';

/** What the coordinator knows of a worker beside the core's membership. */
export class Peer {
  readonly pid: number;
  /** Number of the local worker, if it is one. */
  readonly local: number | undefined;
  readonly attempt: number;
  readonly gathering: Gathering;
  /** Where it may leave its sums, on the same machine. */
  readonly sums: SharedBuffers | undefined;
  /** It sees the averages in the coordinator's memory. */
  attached = false;
  /** Slices whose gradients it has sent. */
  slices = 0;
  /** What those took. */
  sliceSeconds = 0;
  gpu: GpuUse | undefined;
  /** When the last of them was here. */
  #deliveredAt = 0;
  /** Subtrees whose sums came from it for the current step. */
  #counted: TreeNode[] = [];
  /** The subtrees, as `LEVEL/INDEX`, that it was dealt of each step. */
  readonly #dealt = new Map<number, Set<string>>();

  constructor(
    { pid, local, attempt }: FromWorker & { type: 'hello' },
    gathering: Gathering,
    sums: SharedBuffers | undefined,
  ) {
    this.pid = pid;
    this.local = local;
    this.attempt = attempt;
    this.gathering = gathering;
    this.sums = sums;
  }

  dealt(step: number, begin: number, end: number): void {
    const nodes = this.#dealt.get(step) ?? new Set<string>();
    for (const { level, index } of subtreesOf(begin, end)) nodes.add(`${level}/${index}`);
    this.#dealt.set(step, nodes);
  }

  /** Only of what it was dealt may it send the sum. */
  wasDealt(step: number, { level, index }: TreeNode): boolean {
    return this.#dealt.get(step)?.has(`${level}/${index}`) ?? false;
  }

  /** Gradients of so many slices are here, at `now`, that it could compute from `since` on; milliseconds. */
  delivered(numSlices: number, since: number, now: number): void {
    this.slices += numSlices;
    this.sliceSeconds += (now - Math.max(since, this.#deliveredAt)) / 1000;
    this.#deliveredAt = now;
  }

  /** It sent the sum of a subtree. */
  gathered({ level, index }: TreeNode): void {
    this.#counted.push({ level, index });
  }

  get counted(): readonly TreeNode[] {
    return this.#counted;
  }

  committed(step: number): void {
    this.#counted = [];
    this.#dealt.delete(step);
  }
}
