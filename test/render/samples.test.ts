import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from 'fast-png';
import type { State } from '../../shared/model/generator.js';
import { encodeGrid } from '../../shared/render/grid.js';
import {
  MAX_SPECTROGRAMS,
  renderFilms,
  renderSamples,
  type SampleKind,
} from '../../shared/render/samples.js';
import { encodeSpectrogram } from '../../shared/render/spectrogram.js';
import { decodeWav } from '../../shared/render/wav.js';

const images: SampleKind = { medium: { kind: 'image' }, shape: [2, 2, 1], numContext: 0, numClasses: 5 };
const texts: SampleKind = {
  ...{ medium: { kind: 'text', vocabulary: 'text8' }, shape: [1, 6, 1], numContext: 2, numClasses: 28 },
};
const clips: SampleKind = {
  ...{ medium: { kind: 'audio', sampleRate: 8000 }, shape: [1, 3, 1], numContext: 0, numClasses: 65_536 },
};

const state = (classes: number[], known: number[]): State => ({
  classes: Int32Array.from(classes),
  known: Uint8Array.from(known),
});
const words = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
/** The letters of a text of text8, `.` for the reserved class. */
const classesOf = (text: string) =>
  [...text].map((c) => (c === '.' ? 0 : c === ' ' ? 1 : c.charCodeAt(0) - 95));

test('images are a square grid in all shades from the first class to the last', () => {
  const samples = Uint8Array.from({ length: 5 * 4 }, (_, i) => i % 5);
  const [file, ...others] = renderSamples(samples, images);
  assert.deepEqual(others, []);
  assert.equal(file!.suffix, '.png');
  assert.deepEqual(file!.bytes, encodeGrid(samples, [2, 2, 1], 5, 3));
});

test('texts are numbered, their context left out', () => {
  const samples = Uint8Array.from([...classesOf('..a cat'.slice(0, 6)), ...classesOf('ab the')]);
  const [file, ...others] = renderSamples(samples, texts);
  assert.deepEqual(others, []);
  assert.equal(file!.suffix, '.txt');
  assert.equal(words(file!.bytes), '--- 1 of 2 ---\na ca\n\n--- 2 of 2 ---\n the\n');
});

test('clips are spectrograms and a WAV file each, numbered so that they sort', () => {
  const samples = Uint16Array.from({ length: 11 * 3 }, (_, i) => [0, 32_768, 65_535][i % 3]!);
  const [picture, ...waves] = renderSamples(samples, clips);
  assert.equal(picture!.suffix, '.png');
  assert.deepEqual(
    waves.map(({ suffix }) => suffix),
    ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10'].map((n) => `-${n}.wav`),
  );
  const clip = decodeWav(waves[10]!.bytes, 'x');
  assert.equal(clip.sampleRate, 8000);
  assert.deepEqual([...clip.samples], [-32_768, 0, 32_767]);
});

test('of many clips the picture has the first, and all are written', () => {
  const count = MAX_SPECTROGRAMS + 5;
  const samples = new Uint16Array(count * 3).fill(32_768);
  const [picture, ...waves] = renderSamples(samples, clips);
  assert.equal(waves.length, count);
  const silent = Array.from({ length: MAX_SPECTROGRAMS }, () => new Int16Array(3));
  assert.equal(decode(picture!.bytes).height, decode(encodeSpectrogram(silent, 8000)).height);
});

test('a film of images has a row for each, what is unknown grey', () => {
  const films = [
    [state([4, 4, 4, 4], [0, 0, 0, 0]), state([4, 1, 0, 3], [1, 0, 0, 1])],
    [state([0, 0, 0, 0], [0, 0, 0, 0]), state([2, 2, 2, 2], [1, 1, 1, 1])],
  ];
  const grey = [128, 128, 128, 128];
  const pixels = [...grey, ...[255, 128, 128, 191], ...grey, ...[128, 128, 128, 128]];
  const { suffix, bytes } = renderFilms(films, images);
  assert.equal(suffix, '.png');
  assert.deepEqual(bytes, encodeGrid(pixels, [2, 2, 1], 256, 2));
});

test('a film of texts has a line for each state, what is unknown a gap, and no context', () => {
  const cat = classesOf('.. cat');
  const films = [
    [state(cat, [1, 1, 0, 0, 0, 0]), state(cat, [1, 1, 0, 1, 0, 1]), state(cat, [1, 1, 1, 1, 1, 1])],
  ];
  const { suffix, bytes } = renderFilms([films[0]!, films[0]!], texts);
  assert.equal(suffix, '.txt');
  const film = '1  ____\n2  _c_t\n3   cat\n';
  assert.equal(words(bytes), `${film}\n${film}`);
});

test('a film of clips is silent where nothing is known', () => {
  const films = [[state([0, 0, 0], [0, 0, 0]), state([65_535, 0, 0], [1, 0, 1])]];
  const { bytes } = renderFilms(films, clips);
  const waves = [Int16Array.of(0, 0, 0), Int16Array.of(32_767, 0, -32_768)];
  assert.deepEqual(bytes, encodeSpectrogram(waves, 8000));
});
