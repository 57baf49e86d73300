import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from 'fast-png';
import { encodeSpectrogram } from '../../shared/render/spectrogram.js';
import { viridis } from '../../shared/render/viridis.js';

const RATE = 16000;
const tone = (seconds: number, hertz: number, amplitude: number): Int16Array =>
  Int16Array.from(
    { length: seconds * RATE },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / RATE),
  );

/** The picture, and its colours from the top to the bottom of one column. */
function draw(clips: readonly Int16Array[]) {
  const { width, height, data } = decode(encodeSpectrogram(clips, RATE));
  const column = (x: number): string[] =>
    Array.from({ length: height }, (_, y) =>
      data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3).join(),
    );
  return { width, height, column };
}

const [DARKEST, BRIGHTEST] = [viridis(0).join(), viridis(1).join()];
/** A clip: 8 pixels of gap, 41 of waveform, 128 of spectrum. */
const [CLIP, SPECTRUM] = [177, 49];
const spectrumOf = (column: string[], clip: number): string[] =>
  column.slice(clip * CLIP + SPECTRUM, (clip + 1) * CLIP);

test('low tones are bright at the bottom, high ones at the top', () => {
  const { column } = draw([tone(1, 1000, 10000), tone(1, 7000, 10000)]);
  const middle = column(250);
  const rowOf = (clip: number): number => spectrumOf(middle, clip).indexOf(BRIGHTEST);
  assert.ok(Math.abs(rowOf(0) - 128 * (7 / 8)) <= 2, `${rowOf(0)}`);
  assert.ok(Math.abs(rowOf(1) - 128 * (1 / 8)) <= 2, `${rowOf(1)}`);
});

test('80 dB below the loudest of all clips is as dark as silence, 40 dB below is halfway', () => {
  const { column } = draw([tone(1, 1000, 30000), tone(1, 1000, 300), new Int16Array(RATE)]);
  const middle = column(250);
  assert.ok(spectrumOf(middle, 2).every((colour) => colour === DARKEST));
  assert.ok(spectrumOf(middle, 0).includes(BRIGHTEST));
  const [red, green, blue] = viridis(0.5);
  const quiet = spectrumOf(middle, 1).map((colour) => colour.split(',').map(Number));
  assert.ok(quiet.some(([r, g, b]) => Math.abs(r! - red) + Math.abs(g! - green) + Math.abs(b! - blue) < 6));
  assert.ok(!spectrumOf(middle, 1).includes(BRIGHTEST));
});

test('the waveform above shows when a clip is loud', () => {
  const clip = tone(1, 300, 20000);
  clip.fill(0, 0, RATE / 2);
  const { column } = draw([clip]);
  const inked = (x: number): number =>
    column(x)
      .slice(0, SPECTRUM)
      .filter((colour) => colour !== '255,255,255').length;
  assert.equal(inked(100), 1);
  assert.ok(inked(400) > 10, `${inked(400)}`);
});

test('the longest clip sets the width, and a shorter one ends before', () => {
  const { width, height, column } = draw([tone(0.25, 1000, 9), tone(0.5, 1000, 9)]);
  assert.equal(width, Math.ceil((0.5 * RATE) / 128) * 4 + 16);
  assert.equal(height, 2 * CLIP + 8);
  assert.ok(spectrumOf(column(width - 20), 0).every((colour) => colour === '255,255,255'));
  assert.ok(!spectrumOf(column(width - 20), 1).includes('255,255,255'));
});

test('clips of silence, of one sample, and of the lowest sample can be drawn', () => {
  for (const clip of [new Int16Array(RATE), Int16Array.of(5), Int16Array.of(-32768, -32768)]) {
    assert.equal(draw([clip]).height, CLIP + 8);
  }
});

test('the colours grow lighter all the way', () => {
  const lightness = ([red, green, blue]: [number, number, number]): number =>
    0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const steps = Array.from({ length: 101 }, (_, i) => lightness(viridis(i / 100)));
  assert.ok(steps.every((value, i) => i === 0 || value > steps[i - 1]! - 0.5));
  assert.deepEqual(viridis(-3), [0x44, 0x01, 0x54]);
  assert.deepEqual(viridis(7), [0xfd, 0xe7, 0x25]);
});

test('a line stands above what is unknown of each clip', () => {
  const clips = [tone(1, 1000, 10000), tone(1, 2000, 10000)];
  const known = new Uint8Array(RATE).fill(1).fill(0, 0, RATE / 2);
  const decoded = (of?: Uint8Array) => decode(encodeSpectrogram(clips, RATE, of));
  const [plain, { width, data }] = [decoded(), decoded(known)];
  const changed = new Set<string>();
  for (let i = 0; i < data.length; i += 3)
    if (data[i + 1] !== plain.data[i + 1])
      changed.add(
        `${Math.floor(i / 3 / width)},${((i / 3) % width) - 8 < (width - 16) / 2 + 1 ? 'left' : 'right'}`,
      );
  assert.deepEqual([...changed], ['5,left', '6,left', `${CLIP + 5},left`, `${CLIP + 6},left`]);
});
