import type { Medium } from '../config/medium.js';
import { samplesOfClasses, SILENCE } from '../data/clips.js';
import { vocabularies } from '../data/vocabulary.js';
import type { Classes } from '../method/classes.js';
import type { State } from '../model/generator.js';
import { encodeGrid } from './grid.js';
import { encodeSpectrogram } from './spectrogram.js';
import { formatFilm, formatTexts } from './text-frames.js';
import { encodeWav } from './wav.js';

/** What samples are made of. */
export interface SampleKind {
  readonly medium: Medium;
  /** [height, width, channels] of an example, its context included. */
  readonly shape: readonly [number, number, number];
  readonly numContext: number;
  readonly numClasses: number;
}

/** A file to be written; its name is the common stem of all, and this. */
export interface RenderedFile {
  readonly suffix: string;
  readonly bytes: Uint8Array;
}

/** A picture of more clips would be too large. */
export const MAX_SPECTROGRAMS = 100;

/**
 * Samples as people look at them, the file to look at first: a grid of images (PNG), numbered texts, spectrograms (PNG) of the first hundred
 * clips and each clip as WAV.
 */
export function renderSamples(samples: Classes, kind: SampleKind): RenderedFile[] {
  const { medium, shape, numContext, numClasses } = kind;
  const size = shape[0] * shape[1] * shape[2];
  const count = samples.length / size;
  const each = Array.from({ length: count }, (_, i) =>
    samples.subarray(i * size + numContext, (i + 1) * size),
  );
  switch (medium.kind) {
    case 'image':
      return [{ suffix: '.png', bytes: encodeGrid(samples, shape, numClasses, Math.ceil(Math.sqrt(count))) }];
    case 'text': {
      const { decode } = vocabularies[medium.vocabulary];
      const texts = each.map((classes) => Buffer.from(decode(classes)).toString('utf8'));
      return [{ suffix: '.txt', bytes: Buffer.from(formatTexts(texts)) }];
    }
    case 'audio': {
      const clips = each.map(samplesOfClasses);
      const digits = String(count - 1).length;
      return [
        { suffix: '.png', bytes: encodeSpectrogram(clips.slice(0, MAX_SPECTROGRAMS), medium.sampleRate) },
        ...clips.map((clip, i) => ({
          suffix: `-${String(i).padStart(digits, '0')}.wav`,
          bytes: encodeWav(clip, medium.sampleRate),
        })),
      ];
    }
  }
}

/** Stands for an unknown pixel. */
const GREY = 128;

/**
 * How samples came to be, a row of states for each: images (PNG) with unknown pixels grey, texts with gaps, the waveforms' spectrograms (PNG).
 *
 * @param films for each sample its states, from empty to full, equally many; at most MAX_SPECTROGRAMS in all of audio. Known classes are
 * final ones, 0..numClasses-1
 */
export function renderFilms(films: readonly (readonly State[])[], kind: SampleKind): RenderedFile {
  const { medium, shape, numContext, numClasses } = kind;
  const states = films.flat();
  switch (medium.kind) {
    case 'image': {
      const size = shape[0] * shape[1] * shape[2];
      const pixels = new Uint8Array(states.length * size);
      states.forEach(({ classes, known }, i) =>
        classes.forEach((x, v) => {
          pixels[i * size + v] = known[v] ? Math.round((x * 255) / (numClasses - 1)) : GREY;
        }),
      );
      return { suffix: '.png', bytes: encodeGrid(pixels, shape, 256, films[0]!.length) };
    }
    case 'text': {
      const { show } = vocabularies[medium.vocabulary];
      const lines = films.map((film) =>
        formatFilm(
          film.map(({ classes, known }) =>
            show(Array.from(known, (isKnown, v) => (isKnown ? classes[v]! : numClasses)).slice(numContext)),
          ),
        ),
      );
      return { suffix: '.txt', bytes: Buffer.from(lines.join('\n')) };
    }
    case 'audio': {
      const clips = states.map(({ classes, known }) =>
        samplesOfClasses(classes.map((x, v) => (known[v] ? x : SILENCE))),
      );
      return { suffix: '.png', bytes: encodeSpectrogram(clips, medium.sampleRate) };
    }
  }
}
