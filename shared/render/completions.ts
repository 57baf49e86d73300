import { samplesOfClasses, SILENCE } from '../data/clips.js';
import { vocabularies } from '../data/vocabulary.js';
import type { Classes } from '../method/classes.js';
import type { Mask } from '../model/complete.js';
import { encodeGrid } from './grid.js';
import { MAX_SPECTROGRAMS, type RenderedFile, type SampleKind } from './samples.js';
import { encodeSpectrogram } from './spectrogram.js';
import { encodeWav } from './wav.js';

/** An input and what was made of it; examples with their context. */
export interface Completed {
  /** What the input is called. */
  readonly name: string;
  readonly input: Classes;
  /** Whether the input has what was filled in: it is shown last, to compare. */
  readonly isWhole: boolean;
  readonly completions: readonly Completion[];
}

export interface Completion {
  readonly classes: Classes;
  /** Bits, at most 0. */
  readonly logLikelihood: number;
}

/**
 * Completions as people look at them, the file to look at first: a PNG with a row for each input, its unknown pixels chequered; texts, with gaps in the
 * input; or spectrograms (PNG) of the first hundred clips, a line above what was unknown, and each completion as WAV.
 *
 * @param mask as long as what is shown: what is beyond is cut off texts and clips
 */
export function renderCompletions(
  completed: readonly Completed[],
  mask: Mask,
  kind: SampleKind,
): RenderedFile[] {
  switch (kind.medium.kind) {
    case 'image':
      return [{ suffix: '.png', bytes: encodeImages(completed, mask, kind) }];
    case 'text':
      return [{ suffix: '.txt', bytes: encodeTexts(completed, mask, kind) }];
    case 'audio':
      return renderClips(completed, mask, kind.medium.sampleRate);
  }
}

/** Two greys, in turn. */
const CHEQUERS = [96, 144] as const;

function encodeImages(
  completed: readonly Completed[],
  mask: Mask,
  { shape, numClasses }: SampleKind,
): Uint8Array {
  const [, width, channels] = shape;
  const levels = (classes: Classes) => Array.from(classes, (x) => Math.round((x * 255) / (numClasses - 1)));
  const chequered = (classes: Classes) =>
    levels(classes).map((level, v) => {
      const pixel = Math.floor(v / channels);
      return mask[pixel] === 1 ? level : CHEQUERS[(Math.floor(pixel / width) + (pixel % width)) % 2]!;
    });
  const rows = completed.map(({ input, isWhole, completions }) => [
    chequered(input),
    ...completions.map(({ classes }) => levels(classes)),
    ...(isWhole ? [levels(input)] : []),
  ]);
  return encodeGrid(rows.flat(2), shape, 256, rows[0]!.length);
}

/** What stands before and after what was filled in. */
export interface Marks {
  readonly on: string;
  readonly off: string;
}

/** Texts as one file: the bytes themselves, each under a line that says what it is. */
export function encodeTexts(
  completed: readonly Completed[],
  mask: Mask,
  { medium, numContext, numClasses }: SampleKind,
  marks: Marks = { on: '', off: '' },
): Uint8Array {
  const { decode, show } = vocabularies[(medium as typeof medium & { kind: 'text' }).vocabulary];
  const shown = (classes: Classes) => classes.subarray(numContext, numContext + mask.length);
  const withGaps = (classes: Classes) =>
    show(Array.from(shown(classes), (x, place) => (mask[place] === 1 ? x : numClasses)));
  /** A mark does not part the bytes of a UTF-8 character. */
  const marked = (classes: Classes) => {
    let isOn = false;
    const pieces: Uint8Array[] = [];
    shown(classes).forEach((x, place) => {
      const byte = decode([x]);
      const isFilled = mask[place] === 0;
      if (isFilled !== isOn && (byte[0]! & 0xc0) !== 0x80) {
        pieces.push(Buffer.from(isFilled ? marks.on : marks.off));
        isOn = isFilled;
      }
      pieces.push(byte);
    });
    return Buffer.concat([...pieces, Buffer.from(isOn ? marks.off : '')]);
  };
  const sections = completed.flatMap(({ name, input, isWhole, completions }) => [
    [name, Buffer.from(withGaps(input))] as const,
    ...completions.map(({ classes, logLikelihood }, i) => {
      const title = `completion ${i + 1} of ${completions.length}, ${logLikelihood.toFixed(2)} bits`;
      return [title, marked(classes)] as const;
    }),
    ...(isWhole ? [[`${name}, original`, marked(input)] as const] : []),
  ]);
  return Buffer.concat(
    sections.flatMap(([title, bytes], i) => [
      Buffer.from(`${i > 0 ? '\n' : ''}--- ${title} ---\n`),
      bytes,
      Buffer.from('\n'),
    ]),
  );
}

function renderClips(completed: readonly Completed[], mask: Mask, sampleRate: number): RenderedFile[] {
  const cut = (classes: Classes) => samplesOfClasses(classes.subarray(0, mask.length));
  const clips = completed.flatMap(({ input, isWhole, completions }) => [
    samplesOfClasses(Array.from(mask, (known, i) => (known === 1 ? input[i]! : SILENCE))),
    ...completions.map(({ classes }) => cut(classes)),
    ...(isWhole ? [cut(input)] : []),
  ]);
  const numbered = (i: number, count: number) => `-${String(i).padStart(String(count - 1).length, '0')}`;
  return [
    { suffix: '.png', bytes: encodeSpectrogram(clips.slice(0, MAX_SPECTROGRAMS), sampleRate, mask) },
    ...completed.flatMap(({ completions }, input) =>
      completions.map(({ classes }, i) => ({
        suffix: `${completed.length > 1 ? numbered(input, completed.length) : ''}${numbered(i, completions.length)}.wav`,
        bytes: encodeWav(cut(classes), sampleRate),
      })),
    ),
  ];
}
