import type { TreeNode } from '../shared/exchange/tree.js';
import { addInto } from '../shared/optimizer/sum.js';

const key = ({ level, index }: TreeNode) => `${level}/${index}`;

/**
 * What the sums that a worker sent lack (error feedback), by subtree, float32, one a parameter. What a sum lacks counts once a step is committed of which it is part: until
 * then it may be computed again, or by another worker. A subtree that the worker is dealt no more leaves its residual to the first of those that it is.
 */
export class Residuals {
  readonly #bytes: number;
  readonly #kept = new Map<string, SharedArrayBuffer>();
  readonly #next = new Map<string, SharedArrayBuffer>();
  readonly #free: SharedArrayBuffer[] = [];

  constructor(numParameters: number) {
    this.#bytes = 4 * numParameters;
  }

  /** What a subtree's sum lacked before, and where to write what it lacks now. */
  take(node: TreeNode): { residual: SharedArrayBuffer; next: SharedArrayBuffer } {
    const residual = this.#kept.get(key(node)) ?? new SharedArrayBuffer(this.#bytes);
    return { residual, next: this.#free.pop() ?? new SharedArrayBuffer(this.#bytes) };
  }

  /** The sum was sent, and lacks what is in `next`. */
  sent(node: TreeNode, next: SharedArrayBuffer): void {
    this.#next.set(key(node), next);
  }

  /** A step is committed, and these sums are part of it. */
  commit(counted: readonly TreeNode[]): void {
    const taken = new Set(counted.map(key).filter((subtree) => this.#next.has(subtree)));
    const [first] = [...taken].sort();
    for (const [subtree, buffer] of [...this.#kept].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (first === undefined || (this.#next.has(subtree) && !taken.has(subtree))) continue;
      if (!taken.has(subtree)) addInto(new Float32Array(this.#next.get(first)!), new Float32Array(buffer));
      this.#kept.delete(subtree);
      this.#free.push(buffer);
    }
    for (const [subtree, buffer] of this.#next) {
      if (taken.has(subtree)) this.#kept.set(subtree, buffer);
      else this.#free.push(buffer);
    }
    this.#next.clear();
  }
}
