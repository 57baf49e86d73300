import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeGrid } from '../../shared/render/grid.js';
import { encodeTexts, renderCompletions, type Completed } from '../../shared/render/completions.js';
import type { SampleKind } from '../../shared/render/samples.js';
import { encodeSpectrogram } from '../../shared/render/spectrogram.js';
import { decodeWav } from '../../shared/render/wav.js';

const images: SampleKind = { medium: { kind: 'image' }, shape: [2, 2, 1], numContext: 0, numClasses: 256 };
const texts: SampleKind = {
  ...{ medium: { kind: 'text', vocabulary: 'text8' }, shape: [1, 8, 1], numContext: 2, numClasses: 28 },
};
const bytes: SampleKind = {
  ...{ medium: { kind: 'text', vocabulary: 'bytes' }, shape: [1, 6, 1], numContext: 0, numClasses: 256 },
};
const clips: SampleKind = {
  ...{ medium: { kind: 'audio', sampleRate: 8000 }, shape: [1, 4, 1], numContext: 0, numClasses: 65_536 },
};

function completed(
  input: ArrayLike<number>,
  completions: ArrayLike<number>[],
  isWhole = false,
  name = 'a',
): Completed {
  return {
    ...{ name, isWhole, input: Uint16Array.from(input) },
    completions: completions.map((classes, i) => ({
      classes: Uint16Array.from(classes),
      logLikelihood: -1.5 * i,
    })),
  };
}
const classesOf = (text: string) => [...text].map((c) => (c === ' ' ? 1 : c.charCodeAt(0) - 95));
const words = (of: Uint8Array) => Buffer.from(of).toString('utf8');

test('each input is a row: its unknown pixels chequered, what was made of it, the original', () => {
  const mask = Uint8Array.of(1, 1, 0, 0);
  const rows = [
    completed([9, 8, 7, 6], [[9, 8, 1, 2]], true),
    completed([5, 4, 3, 2], [[5, 4, 11, 12]], true),
  ];
  const [file, ...others] = renderCompletions(rows, mask, images);
  assert.deepEqual(others, []);
  const first = [9, 8, 144, 96, 9, 8, 1, 2, 9, 8, 7, 6];
  const second = [5, 4, 144, 96, 5, 4, 11, 12, 5, 4, 3, 2];
  const expected = encodeGrid([...first, ...second], [2, 2, 1], 256, 3);
  assert.deepEqual(file, { suffix: '.png', bytes: expected });
});

test('a text is shown with its gaps, then filled in; context and what is left out are not', () => {
  const input = [0, 0, ...classesOf('abcd'), 0, 0];
  const made = [0, 0, ...classesOf('axyd'), 0, 0];
  const rows = [completed(input, [made, made])];
  const [file] = renderCompletions(rows, Uint8Array.of(1, 0, 0, 1), texts);
  const expected = [
    '--- a ---\na__d\n',
    '--- completion 1 of 2, 0.00 bits ---\naxyd\n',
    '--- completion 2 of 2, -1.50 bits ---\naxyd\n',
  ];
  assert.deepEqual([file!.suffix, words(file!.bytes)], ['.txt', expected.join('\n')]);
});

test('marks stand around what was filled in and part no character; bytes that are no text are kept', () => {
  const umlaut = [...Buffer.from('aäbc')];
  const marks = { on: '<', off: '>' };
  const shown = (mask: number[], made: number[] = [...umlaut, 0]) =>
    Buffer.from(encodeTexts([completed(made, [made])], Uint8Array.from(mask), bytes, marks))
      .toString('latin1')
      .split('\n')
      .at(-2);
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  assert.equal(shown([1, 1, 1, 0, 1]), latin1('aä<b>c'));
  assert.equal(shown([1, 0, 0, 1, 0]), latin1('a<ä>b<c>'));
  assert.equal(shown([1, 1, 0, 0, 1]), latin1('aä<b>c'));
  assert.equal(shown([1, 0, 1, 1, 1]), latin1('a<ä>bc'));
  assert.equal(shown([1, 1, 1, 1, 0], [97, 255, 254, 98, 99]), 'aÿþb<c>');
});

test('clips are spectrograms, what is unknown silent in the input, and a WAV each', () => {
  const mask = Uint8Array.of(1, 0, 1);
  const input = [32_868, 32_968, 33_068, 32_768];
  const made = [
    [32_868, 1, 33_068, 32_768],
    [32_868, 2, 33_068, 32_768],
  ];
  const files = renderCompletions([completed(input, made, true)], mask, clips);
  assert.deepEqual(
    files.map(({ suffix }) => suffix),
    ['.png', '-0.wav', '-1.wav'],
  );
  const samples = [
    [100, 0, 300],
    [100, -32_767, 300],
    [100, -32_766, 300],
    [100, 200, 300],
  ].map((clip) => Int16Array.from(clip));
  assert.deepEqual(files[0]!.bytes, encodeSpectrogram(samples, 8000, mask));
  assert.deepEqual(decodeWav(files[2]!.bytes, 'b'), { sampleRate: 8000, samples: samples[2] });
  const two = renderCompletions([completed(input, made), completed(input, made)], mask, clips);
  assert.deepEqual(
    two.slice(1).map(({ suffix }) => suffix),
    ['-0-0.wav', '-0-1.wav', '-1-0.wav', '-1-1.wav'],
  );
});
