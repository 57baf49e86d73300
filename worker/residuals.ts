import type { TreeNode } from '../shared/exchange/tree.js';
import { addInto } from '../shared/optimizer/sum.js';

const key = ({ level, index }: TreeNode) => `${level}/${index}`;

/**
 * What the sums that a worker sent lack (error feedback), by subtree, float32, one a parameter. What a step leaves lacking counts once the step is committed: until
 * then it may be computed again. A subtree that the worker is dealt no more leaves its residual to the first of those that it is.
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

  /** The step whose sums were sent is committed. */
  commit(): void {
    const [first] = [...this.#next.keys()].sort();
    if (first === undefined) return;
    const heir = new Float32Array(this.#next.get(first)!);
    for (const [subtree, buffer] of [...this.#kept].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!this.#next.has(subtree)) addInto(heir, new Float32Array(buffer));
      this.#free.push(buffer);
    }
    this.#kept.clear();
    for (const [subtree, buffer] of this.#next) this.#kept.set(subtree, buffer);
    this.#next.clear();
  }
}
