import assert from 'node:assert/strict';
import test from 'node:test';
import { HOP, NUM_BINS, WINDOW, powerSpectrum } from '../../shared/render/spectrum.js';

const sine = (length: number, bin: number, amplitude: number): Int16Array =>
  Int16Array.from({ length }, (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * bin * i) / WINDOW)));

test('a sine stands in its bin, with the power of its amplitude, and leaks into the next two alone', () => {
  const power = powerSpectrum(sine(16 * HOP, 32, 20000));
  assert.equal(power.length, 16 * NUM_BINS);
  const middle = power.subarray(8 * NUM_BINS, 9 * NUM_BINS);
  const expected = (20000 * WINDOW) ** 2 / 16;
  assert.ok(Math.abs(middle[32]! / expected - 1) < 1e-4, `${middle[32]! / expected}`);
  for (const bin of [31, 33]) assert.ok(Math.abs(middle[bin]! / expected - 0.25) < 1e-4);
  for (const bin of [0, 10, 30, 34, 100, 256]) assert.ok(middle[bin]! < 1e-7 * expected, `bin ${bin}`);
});

test('a frame is what the transform by its definition gives', () => {
  const clip = Int16Array.from({ length: 700 }, (_, i) => ((i * 7919) % 2000) - 1000);
  const power = powerSpectrum(clip);
  for (const frame of [0, 2, 5]) {
    for (const bin of [0, 1, 77, 256]) {
      let [re, im] = [0, 0];
      for (let j = 0; j < WINDOW; j++) {
        const value = (clip[frame * HOP - WINDOW / 2 + j] ?? 0) * Math.sin((Math.PI * j) / WINDOW) ** 2;
        re += value * Math.cos((2 * Math.PI * bin * j) / WINDOW);
        im -= value * Math.sin((2 * Math.PI * bin * j) / WINDOW);
      }
      const expected = re ** 2 + im ** 2;
      assert.ok(
        Math.abs(power[frame * NUM_BINS + bin]! - expected) <= 1e-9 * expected + 1e-3,
        `${frame}, ${bin}`,
      );
    }
  }
});

test('a begun hop has its frame, and silence no power', () => {
  assert.equal(powerSpectrum(new Int16Array(HOP + 1)).length, 2 * NUM_BINS);
  assert.ok(powerSpectrum(new Int16Array(1000)).every((power) => power === 0));
  assert.equal(powerSpectrum(new Int16Array()).length, 0);
});
