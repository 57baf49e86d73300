import { px } from './chart.js';

/**
 * A path through `length` points whose x never falls. Of the points in one column of pixels only the first, the lowest, the highest and the
 * last are kept: what is drawn is the same, spikes too, and a million points are a small file.
 */
export function linePath(length: number, x: (i: number) => number, y: (i: number) => number): string {
  const kept: number[] = [];
  for (let begin = 0; begin < length;) {
    const column = Math.floor(x(begin));
    let [lowest, highest, end] = [begin, begin, begin];
    for (; end < length && Math.floor(x(end)) === column; end++) {
      if (y(end) < y(lowest)) lowest = end;
      if (y(end) > y(highest)) highest = end;
    }
    kept.push(...[...new Set([begin, lowest, highest, end - 1])].sort((a, b) => a - b));
    begin = end;
  }
  return kept.map((i, j) => `${j === 0 ? 'M' : 'L'}${px(x(i))} ${px(y(i))}`).join('');
}
