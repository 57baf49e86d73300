import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { subtreesOf, TreeSum, type TreeNode } from '../../shared/exchange/tree.js';

const covered = (nodes: TreeNode[]) =>
  nodes.flatMap(({ level, index }) => Array.from({ length: 1 << level }, (_, i) => (index << level) + i));

test('subtrees cover exactly the range, in order, and are complete and aligned', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), (begin, length) => {
      const nodes = subtreesOf(begin, begin + length);
      assert.deepEqual(
        covered(nodes),
        Array.from({ length }, (_, i) => begin + i),
      );
      assert.ok(nodes.length <= 2 * Math.ceil(Math.log2(length + 1)) + 1);
    }),
  );
});

test('a whole power of two is one subtree', () => {
  assert.deepEqual(subtreesOf(0, 64), [{ level: 6, index: 0 }]);
  assert.deepEqual(subtreesOf(3, 8), [
    { level: 0, index: 3 },
    { level: 2, index: 1 },
  ]);
});

/** Sums strings so that the result spells the shape of the tree. */
function spell(order: number[], cuts: number[], numSlices: number): string {
  const root = { level: Math.log2(numSlices), index: 0 };
  const whole = new TreeSum<string>([root]);
  let result = '';
  const climb = (
    tree: TreeSum<string>,
    node: TreeNode,
    value: string,
    goal: (node: TreeNode, value: string) => void,
  ) => {
    let next = tree.put(node, value);
    while (next.kind === 'merge') next = tree.put(next.parent, `(${next.left}+${next.right})`);
    if (next.kind === 'goal') goal(next.node, next.value);
  };
  const bounds = [0, ...cuts, numSlices];
  const members = bounds.slice(1).map((end, i) => new TreeSum<string>(subtreesOf(bounds[i]!, end)));
  for (const slice of order) {
    const member = bounds.findIndex((_, i) => slice < bounds[i + 1]!);
    climb(members[member]!, { level: 0, index: slice }, String(slice), (node, value) =>
      climb(whole, node, value, (_, total) => (result = total)),
    );
  }
  return result;
}

test('the sum has one shape, however slices are dealt and whenever they arrive', () => {
  const expected = '(((0+1)+(2+3))+((4+5)+(6+7)))';
  fc.assert(
    fc.property(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 }),
      (order, cuts) => {
        assert.equal(
          spell(
            order,
            cuts.sort((a, b) => a - b),
            8,
          ),
          expected,
        );
      },
    ),
  );
});

test('what waits for its sibling can be taken out', () => {
  const tree = new TreeSum<string>([{ level: 1, index: 0 }]);
  tree.put({ level: 0, index: 1 }, 'b');
  assert.deepEqual(tree.drain(), ['b']);
  assert.equal(tree.put({ level: 0, index: 0 }, 'a').kind, 'wait');
});
