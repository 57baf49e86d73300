/** A node of the binary tree over slices: it covers slices [index << level, (index + 1) << level). */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/**
 * The fewest complete subtrees that cover slices [begin, end), left to right. Whoever computes these slices sums each
 * subtree by itself; the sum over all slices then has one fixed shape, whoever computed what.
 */
export function subtreesOf(begin: number, end: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = begin; at < end;) {
    let level = 0;
    while (at % (2 << level) === 0 && at + (2 << level) <= end) level++;
    nodes.push({ level, index: at / (1 << level) });
    at += 1 << level;
  }
  return nodes;
}

/** What `TreeSum.put` asks for next. */
export type TreeStep<T> =
  | { readonly kind: 'wait' }
  /** Add `right` into `left`, then put `left` at `parent`. */
  | { readonly kind: 'merge'; readonly left: T; readonly right: T; readonly parent: TreeNode }
  /** One of the goals is complete. */
  | { readonly kind: 'goal'; readonly node: TreeNode; readonly value: T };

const key = ({ level, index }: TreeNode) => `${level}/${index}`;

/** Pairs siblings on the way from single slices up to the goal nodes. The caller does the adding. */
export class TreeSum<T> {
  readonly #goals: Set<string>;
  readonly #waiting = new Map<string, T>();

  constructor(goals: readonly TreeNode[]) {
    this.#goals = new Set(goals.map(key));
  }

  /** Hands in the sum over the slices of `node`. */
  put(node: TreeNode, value: T): TreeStep<T> {
    if (this.#goals.has(key(node))) return { kind: 'goal', node, value };
    const siblingKey = key({ level: node.level, index: node.index ^ 1 });
    const sibling = this.#waiting.get(siblingKey);
    if (sibling === undefined) {
      this.#waiting.set(key(node), value);
      return { kind: 'wait' };
    }
    this.#waiting.delete(siblingKey);
    const parent = { level: node.level + 1, index: node.index >> 1 };
    return node.index & 1
      ? { kind: 'merge', left: sibling, right: value, parent }
      : { kind: 'merge', left: value, right: sibling, parent };
  }

  /** Takes out everything that still waits for its sibling. */
  drain(): T[] {
    const values = [...this.#waiting.values()];
    this.#waiting.clear();
    return values;
  }
}
