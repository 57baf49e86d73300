import assert from 'node:assert/strict';
import test from 'node:test';
import { spanningTicks, tickLabel } from '../../shared/render/chart.js';
import { linePath } from '../../shared/render/line-path.js';
import { plotComponents, plotCosts } from '../../shared/render/plot.js';

/** The paths of a series, as lists of points. */
const pathsOf = (svg: string, series: number): number[][][] =>
  [...svg.matchAll(new RegExp(`<path class="s${series}" d="([^"]*)"`, 'g'))].map(([, d]) => pointsOf(d!));

const pointsOf = (d: string): number[][] =>
  [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, content]) => content!);

/** Every element is closed in the order in which it was opened, and nothing but elements, names and text is there. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [\w-]+="[^"<]*")*)(\/?)>/gi,
    (_, closing, name, _attributes, empty) => {
      if (closing) assert.equal(open.pop(), name);
      else if (!empty) open.push(name);
      return '';
    },
  );
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]|&(?!#\d+;)/);
}

const fourSteps = {
  title: 'four',
  components: Float64Array.of(4, 3, 2, 1).map((bits) => bits / 4),
  numStages: 1,
  policies: [{ name: 'planned', policy: Int32Array.of(0, 2) }],
};

test('the components are drawn in bits per variable, from 0 at the bottom', () => {
  const [curve] = pathsOf(plotComponents(fourSteps), 0);
  const heights = curve!.map(([, y]) => y! - curve![0]![1]!);
  assert.deepEqual(heights, [0, 80, 160, 240], 'four bits are 320 pixels high');
  assert.ok(textsOf(plotComponents(fourSteps)).includes('bits per variable'));
});

test('a policy is a staircase from the component at each call to the next, and a mark a call', () => {
  const svg = plotComponents(fourSteps);
  const [curve] = pathsOf(svg, 0);
  const [stairs, marks] = pathsOf(svg, 1);
  const [x0, x2] = [curve![0]![0]!, curve![2]![0]!];
  const [y0, y2] = [curve![0]![1]!, curve![2]![1]!];
  assert.deepEqual(stairs, [[x0, y0], [x2, y0], [x2, y2], [880, y2]]); // prettier-ignore
  assert.deepEqual(marks!.map(([x]) => Math.round(x! - 0.5)), [x0, x2]); // prettier-ignore
});

test('policies of many calls are marks alone, at most one a pixel', () => {
  const components = new Float64Array(5000).fill(1 / 5000);
  const svg = plotComponents({
    title: '',
    components,
    numStages: 1,
    policies: [{ name: 'full', policy: Int32Array.from({ length: 5000 }, (_, i) => i) }],
  });
  const paths = pathsOf(svg, 1);
  assert.equal(paths.length, 1);
  assert.equal(paths[0]!.length, 816);
  assert.ok(textsOf(svg).includes('full (5,000 calls)'));
});

test('stages follow each other, each with a line of its own', () => {
  const components = Float64Array.from({ length: 40 }, (_, i) => (10 - (i % 10)) / 10);
  const svg = plotComponents({ title: '', components, numStages: 4, policies: [] });
  const stages = pathsOf(svg, 0);
  assert.equal(stages.length, 4);
  assert.ok(stages.every((stage, s) => Math.abs(stage[0]![0]! - (64 + s * 204)) < 0.1));
  assert.deepEqual(stages[3]!.map(([, y]) => y), stages[0]!.map(([, y]) => y)); // prettier-ignore
  assert.equal(svg.match(/class="stage"/g)!.length, 3);
  assert.ok(['stage', '0', '1', '2', '3'].every((label) => textsOf(svg).includes(label)));
});

test('a spike of one step among 256,000 is drawn, in a small file', () => {
  const components = new Float64Array(256_000).fill(2 / 16_000);
  components[123_456] = 17 / 16_000;
  const svg = plotComponents({ title: '', components, numStages: 16, policies: [] });
  assert.ok(svg.length < 200_000, `${svg.length} characters`);
  const points = pathsOf(svg, 0).flat();
  const top = Math.min(...points.map(([, y]) => y!));
  assert.equal(points.filter(([, y]) => y === top).length, 1);
  const [x] = points.find(([, y]) => y === top)!;
  assert.ok(Math.abs(x! - (64 + (816 * 123_456) / 256_000)) < 1);
});

test('a long path keeps the first, lowest, highest and last point of each column of pixels, in their order', () => {
  const heights = [5, 9, 1, 4, 3, 7];
  const path = linePath(
    6,
    (i) => (i < 5 ? i / 5 : 3),
    (i) => heights[i]!,
  );
  assert.deepEqual(pointsOf(path), [[0, 5], [0.2, 9], [0.4, 1], [0.8, 3], [3, 7]]); // prettier-ignore
});

test('costs fall over budgets on a log scale', () => {
  const budgets = [1, 10, 100];
  const svg = plotCosts({ title: '', curves: [{ name: 'planned', budgets, costs: [8, 5, 2] }] });
  const [curve] = pathsOf(svg, 1);
  assert.deepEqual(curve!.map(([x]) => x), [64, 472, 880]); // prettier-ignore
  assert.deepEqual(curve!.map(([, y]) => y! - curve![0]![1]!), [0, 160, 320]); // prettier-ignore
  assert.equal(svg.match(/<circle/g)!.length, 3);
  assert.ok(['1', '2', '5', '10', '20', '50', '100'].every((label) => textsOf(svg).includes(label)));
});

test('flat, zero and single values still have axes', () => {
  for (const svg of [
    plotComponents({ ...fourSteps, components: new Float64Array(4) }),
    plotComponents({ title: '', components: Float64Array.of(1), numStages: 1, policies: [] }),
    plotCosts({ title: '', curves: [{ name: 'one', budgets: [1], costs: [3] }] }),
    plotCosts({ title: '', curves: [{ name: 'flat', budgets: [1, 2], costs: [0, 0] }] }),
  ]) {
    assertWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  }
});

test('names and titles are text, whatever they hold', () => {
  const svg = plotComponents({
    ...fourSteps,
    title: 'a < b & "c" > d',
    policies: [{ name: '</svg><script>', policy: Int32Array.of(0) }],
  });
  assertWellFormed(svg);
  assert.doesNotMatch(svg, /<script/);
  assertWellFormed(plotCosts({ title: '<>', curves: [{ name: '&', budgets: [1, 4], costs: [2, 1] }] }));
});

test('a legend that is too long for one row goes on in the next', () => {
  const policies = Array.from({ length: 9 }, (_, i) => ({
    name: `policy number ${i}`,
    policy: Int32Array.of(0),
  }));
  const svg = plotComponents({ ...fourSteps, policies });
  const places = [...svg.matchAll(/<rect class="f\d" x="([\d.]+)" y="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  assert.equal(places.length, 10);
  assert.ok(new Set(places.map(([, y]) => y)).size > 1);
  assert.ok(places.every(([x]) => x! < 800));
});

test('ticks are round numbers that span the values', () => {
  assert.deepEqual(spanningTicks(0, 6.3, 6), [0, 2, 4, 6, 8]);
  assert.deepEqual(spanningTicks(2.71, 2.93, 6).map((tick) => tickLabel(tick, 0.05)), ['2.70', '2.75', '2.80', '2.85', '2.90', '2.95']); // prettier-ignore
  assert.equal(tickLabel(250_000, 50_000), '250,000');
});
