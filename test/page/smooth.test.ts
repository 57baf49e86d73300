import assert from 'node:assert/strict';
import test from 'node:test';
import { cellOf, filmsOf, gridOf } from '../../shared/page/browser/frames.js';
import { extend, smooth, thinned } from '../../shared/page/browser/smooth.js';
import type { CurvePart } from '../../shared/page/curve.js';
import { formatFilm } from '../../shared/render/text-frames.js';

const part = (width: number, steps: number[]): CurvePart => ({
  ...{ width, steps, bitsPerDim: steps, gradientNorm: steps, learningRate: steps, seconds: steps },
});

test('smoothing keeps what is level, forgets the beginning, and damps what scatters', () => {
  assert.deepEqual(smooth([3, 3, 3], 50), [3, 3, 3]);
  const falling = smooth([100, ...new Array<number>(200).fill(1)], 50);
  assert.ok(falling[60]! < 1.5 && falling[200]! < 1.01);
  const scattered = smooth(
    Array.from({ length: 1000 }, (_, i) => 5 + (i % 2)),
    50,
  );
  assert.ok(Math.abs(scattered.at(-1)! - 5.5) < 0.02);
});

test('new points follow the old ones, and one that has grown replaces what it was', () => {
  assert.deepEqual(extend(part(1, [1, 2]), part(1, [3])).steps, [1, 2, 3]);
  assert.deepEqual(extend(part(2, [2, 4, 5]), part(2, [6, 7])).bitsPerDim, [2, 4, 6, 7]);
  assert.deepEqual(extend(part(1, [1]), part(1, [])).steps, [1]);
});

test('a long list is thinned evenly to its last', () => {
  assert.deepEqual(thinned(3, 20), [0, 1, 2]);
  assert.deepEqual(thinned(10, 3), [1, 5, 9]);
});

test('a grid of frames is cut at the places where it was put together', () => {
  assert.deepEqual(cellOf([28, 28, 1]), { width: 86, height: 86 });
  assert.deepEqual(gridOf([28, 28, 1], { width: 12 * 86 + 2, height: 9 * 86 + 2 }), { rows: 9, columns: 12 });
});

test('text frames are read as they are written', () => {
  const films = [
    ['____', 'a__b', 'ab b'],
    ['    ', 'x__y', 'xyzy'],
  ];
  assert.deepEqual(filmsOf(films.map(formatFilm).join('\n')), films);
});
