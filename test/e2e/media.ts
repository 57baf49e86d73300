import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decode, encode } from 'fast-png';
import { decodeWav, encodeWav } from '../../shared/render/wav.js';

/** A run on files of one's own: what it trains, and how its samples are to look. */
export interface MediumRun {
  readonly medium: string;
  /** Of the config: data, model and samples. */
  readonly config: string;
  /** Puts the data beside the config. */
  prepare(home: string): void;
  /** Checks the samples, whose files are named STEM and a suffix. */
  check(stem: string): void;
}

const text: MediumRun = {
  medium: 'text',
  config: `
data: { set: text, file: pangrams.txt, vocabulary: text8, length: 32 }
model:
  network: { kind: transformer, layers: 2, width: 16, heads: 2, mlpWidth: 32, dropout: 0.1 }
samples: { count: 3, budget: 4, batch: 2 }
`,
  prepare: (home) =>
    writeFileSync(
      path.join(home, 'pangrams.txt'),
      'the quick brown fox jumps over the lazy dog '.repeat(120),
    ),
  check(stem) {
    const lines = readFileSync(`${stem}.txt`, 'utf8').split('\n');
    for (const nth of [0, 1, 2]) {
      assert.equal(lines[3 * nth], `--- ${nth + 1} of 3 ---`);
      // A reserved class stands for no letter.
      assert.match(lines[3 * nth + 1]!, /^[a-z ]{16,32}$/);
    }
  },
};

const audio: MediumRun = {
  medium: 'audio',
  config: `
data: { set: wav, folder: tones, sampleRate: 8000, length: 64, testFraction: 0.3 }
model:
  kind: upscale
  upscale: { base: 16, parametrization: direct }
  network: { kind: diffwave, channels: 8, blocks: 3, dilationCycle: 3 }
samples: { count: 2, budget: 4, batch: 1 }
`,
  prepare(home) {
    mkdirSync(path.join(home, 'tones'));
    for (let nth = 0; nth < 40; nth++) {
      const tone = Int16Array.from({ length: 60 }, (_, i) => 9000 * Math.sin((i * (nth + 2)) / 20));
      writeFileSync(path.join(home, 'tones', `${nth}.wav`), encodeWav(tone, 8000));
    }
  },
  check(stem) {
    for (const nth of [0, 1]) {
      const file = `${stem}-${nth}.wav`;
      const { sampleRate, samples } = decodeWav(readFileSync(file), file);
      assert.deepEqual([sampleRate, samples.length], [8000, 64]);
      assert.ok(new Set(samples).size > 32, 'noise, not silence');
    }
    assert.ok(decode(readFileSync(`${stem}.png`)).width > 0);
  },
};

const images: MediumRun = {
  medium: 'images in stages',
  config: `
data: { set: folder, folder: images }
model:
  kind: upscale
  upscale: { base: 4, map: augment }
  network: { kind: unet, channels: 8, blocks: 1, groups: 4 }
samples: { count: 3, budget: 4, batch: 2 }
`,
  prepare(home) {
    mkdirSync(path.join(home, 'images'));
    for (let nth = 0; nth < 24; nth++) {
      const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * (nth + 3)) % 256);
      const image = encode({ width: 8, height: 8, channels: 3, data });
      writeFileSync(path.join(home, 'images', `${nth}.png`), image);
    }
  },
  check(stem) {
    const { width, height, channels } = decode(readFileSync(`${stem}.png`));
    // Two by two cells of twelvefold pixels, gaps of two around them.
    assert.deepEqual([width, height, channels], [198, 198, 3]);
  },
};

export const MEDIA_RUNS: readonly MediumRun[] = [text, audio, images];
