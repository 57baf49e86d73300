import assert from 'node:assert/strict';
import test from 'node:test';
import { encode } from 'fast-png';
import { readMaskedImage, readMaskImage } from '../../shared/data/masked-image.js';

/** Two rows of three pixels. */
const png = (channels: number, data: number[], depth: 1 | 8 | 16 = 8) =>
  encode({
    ...{ width: 3, height: 2, channels, depth },
    data: depth === 16 ? Uint16Array.from(data) : Uint8Array.from(data),
  });

/** Pixels of these levels, and how opaque each is. */
const withAlpha = (levels: number[], alpha: number[], ...others: number[][]) =>
  levels.flatMap((level, i) => [level, ...others.map((channel) => channel[i]!), alpha[i]!]);

test('a PNG without an alpha channel, or all opaque, has no mask', () => {
  const grey = [1, 2, 3, 4, 5, 6];
  const expected = { height: 2, width: 3, channels: 1, pixels: Uint8Array.from(grey) };
  assert.deepEqual(readMaskedImage(png(1, grey), 'a.png'), expected);
  const opaque = new Array<number>(6).fill(255);
  assert.deepEqual(readMaskedImage(png(2, withAlpha(grey, opaque)), 'a.png'), expected);
});

test('transparent pixels are told from the others, in grey and RGB', () => {
  const levels = [0, 1, 2, 3, 4, 5];
  const alpha = [255, 0, 255, 0, 0, 255];
  const opaque = Uint8Array.of(1, 0, 1, 0, 0, 1);
  const grey = readMaskedImage(png(2, withAlpha(levels, alpha)), 'a.png');
  assert.deepEqual([[...grey.pixels], grey.opaque], [levels, opaque]);
  const [green, blue] = [10, 20].map((more) => levels.map((level) => level + more));
  const rgb = readMaskedImage(png(4, withAlpha(levels, alpha, green!, blue!)), 'a.png');
  assert.deepEqual([rgb.channels, rgb.opaque], [3, opaque]);
  assert.deepEqual([...rgb.pixels.subarray(3, 9)], [1, 11, 21, 2, 12, 22]);
});

test('a mask is white and black, of 8 bits or 1', () => {
  const white = [1, 0, 1, 0, 0, 1];
  const expected = { height: 2, width: 3, white: Uint8Array.from(white) };
  const levels = white.map((is) => 255 * is);
  assert.deepEqual(readMaskImage(png(1, levels), 'm.png'), expected);
  assert.deepEqual(readMaskImage(png(1, [0b10100000, 0b00100000], 1), 'm.png'), expected);
});

test('what is neither known nor unknown is refused with its place, as is another kind of PNG', () => {
  const half = [255, 255, 255, 255, 255, 200];
  const told: [read: () => unknown, message: RegExp][] = [
    [
      () => readMaskedImage(png(2, withAlpha(half, half)), 'a.png'),
      /^a\.png: alpha is 200 in row 1, column 2, and it must be 255 \(known\) or 0 \(unknown\)$/,
    ],
    [() => readMaskImage(png(1, half), 'm.png'), /^m\.png: the grey level is 200 in row 1, column 2, /],
    [() => readMaskImage(png(2, [...half, ...half]), 'm.png'), /^m\.png is no mask: a mask is a grey PNG/],
    [() => readMaskedImage(png(1, half, 16), 'a.png'), /^a\.png has 16 bits a channel: convert it to 8$/],
    [() => readMaskedImage(png(1, half).slice(0, 50), 'a.png'), /^a\.png is no whole PNG file: /],
    [() => readMaskImage(Buffer.from('GIF89a'), 'm.png'), /^m\.png is no whole PNG file: /],
  ];
  for (const [read, message] of told) assert.throws(read, { name: 'UserError', message });
});
