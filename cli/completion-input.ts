import { readFile } from 'node:fs/promises';
import { isOtherData } from '../shared/checkpoint/load.js';
import type { TrainedModel } from '../shared/checkpoint/open.js';
import { classesOfSamples, SILENCE } from '../shared/data/clips.js';
import { readMaskedImage } from '../shared/data/masked-image.js';
import { openDataset } from '../shared/data/open.js';
import { vocabularies } from '../shared/data/vocabulary.js';
import { UserError, UsageError } from '../shared/errors.js';
import { allocateClasses, type Classes } from '../shared/method/classes.js';
import type { Mask } from '../shared/model/complete.js';
import type { SampleKind } from '../shared/render/samples.js';
import { decodeWav } from '../shared/render/wav.js';

/** What is to be filled in. */
export interface CompletionInput {
  /** What each example is called. */
  readonly names: readonly string[];
  /** One after another; the context of what is a file is 0. */
  readonly examples: Classes;
  /** Places (pixels, characters, samples) that each has. */
  readonly length: number;
  /** What it says itself: transparent pixels and gaps in a text are unknown. */
  readonly mask?: Mask;
  /** Whether it has what is to be filled in, to compare. */
  readonly isWhole: boolean;
}

const SPACE = 32;
const TEST = /^test:(\d+)(?:-(\d+))?$/;

/**
 * Reads a file of the model's medium, or examples of the run's own test split.
 *
 * @param gap the character that stands for an unknown one in a text
 * @throws UserError that says what does not fit the model
 * @throws the signal's reason when aborted
 */
export async function readInput(
  input: string,
  gap: string | undefined,
  kind: SampleKind,
  trained: TrainedModel,
  signal: AbortSignal,
): Promise<CompletionInput> {
  if (gap !== undefined && kind.medium.kind !== 'text')
    throw new UsageError('--gap is for texts: this model is of another medium');
  const test = TEST.exec(input);
  if (test) return readTest(Number(test[1]), Number(test[2] ?? test[1]), kind, trained, signal);
  const bytes = await readFile(input).catch((error: Error) => {
    throw new UserError(`can't read ${input}: ${error.message}`, undefined, { cause: error });
  });
  const read = { image: readImage, text: readText, audio: readClip }[kind.medium.kind];
  const { classes, mask } = read(bytes, input, kind, gap);
  if (classes.length === 0) throw new UserError(`${input} is empty`);
  const { shape, numContext, numClasses } = kind;
  const examples = allocateClasses(numClasses, shape[0] * shape[1] * shape[2]);
  if (kind.medium.kind === 'audio') examples.fill(SILENCE);
  examples.set(classes, numContext);
  const length = classes.length / shape[2];
  return { names: [input], examples, length, ...(mask && { mask }), isWhole: false };
}

async function readTest(
  first: number,
  last: number,
  { shape, numContext, numClasses }: SampleKind,
  trained: TrainedModel,
  signal: AbortSignal,
): Promise<CompletionInput> {
  const report = (line: string) => console.error(line);
  const dataset = await openDataset(trained.config.data, { baseFolder: '.', fetch: true, report, signal });
  if (isOtherData(dataset.hash, trained))
    console.error(
      `${dataset.name} has changed since ${trained.path} was trained on it: it may have seen what is now the test split`,
    );
  if (dataset.shape.join() !== shape.join())
    throw new UsageError(
      `data set ${dataset.name} is ${dataset.shape.join('x')}, but the model was made for ${shape.join('x')}`,
    );
  const { count } = dataset.test;
  if (last >= count || last < first)
    throw new UsageError(
      `the test split of ${dataset.name} has the examples 0 to ${count - 1}: give one, such as test:0, or some, such as test:0-8`,
    );
  const size = shape[0] * shape[1] * shape[2];
  const names = Array.from({ length: last - first + 1 }, (_, i) => `test:${first + i}`);
  const examples = allocateClasses(numClasses, names.length * size);
  names.forEach((_, i) => dataset.test.read(first + i, examples.subarray(i * size, (i + 1) * size)));
  return { names, examples, length: shape[0] * shape[1] - numContext, isWhole: true };
}

interface Read {
  /** Of the variables after the context; at most as many as the model has. */
  readonly classes: ArrayLike<number>;
  readonly mask?: Mask;
}

function readImage(bytes: Uint8Array, file: string, { shape, numClasses }: SampleKind): Read {
  const { height, width, channels, pixels, opaque } = readMaskedImage(bytes, file);
  const words = ([h, w, c]: SampleKind['shape']) => `${h}x${w} ${c === 1 ? 'grey' : 'RGB'}`;
  const found = words([height, width, channels]);
  if (found !== words(shape))
    throw new UserError(`${file} is ${found}, but the model's images are ${words(shape)} (height x width)`);
  const classes = pixels.map((value, i) => {
    const x = (value * (numClasses - 1)) / 255;
    if (Number.isInteger(x) || opaque?.[Math.floor(i / channels)] === 0) return x;
    throw new UserError(
      `${file} has ${value} in row ${Math.floor(i / channels / width)}, column ${Math.floor(i / channels) % width}, ` +
        `but the model knows ${numClasses} levels alone, evenly from 0 to 255`,
    );
  });
  return { classes, ...(opaque && { mask: opaque }) };
}

/** Of a vocabulary without one, a newline at the end is taken for the editor's. */
function readText(bytes: Uint8Array, file: string, kind: SampleKind, gap?: string): Read {
  const { medium, shape, numContext } = kind;
  const { vocabulary } = medium as SampleKind['medium'] & { kind: 'text' };
  const mark = gap ?? (vocabulary === 'text8' ? '_' : undefined);
  const text = vocabulary === 'text8' ? withoutNewline(bytes) : bytes;
  const { filled, mask } = mark === undefined ? { filled: text } : withoutGaps(text, Buffer.from(mark));
  const numPlaces = shape[1] - numContext;
  if (filled.length > numPlaces)
    throw new UserError(
      `${file} has ${filled.length} ${vocabulary === 'text8' ? 'characters' : 'bytes'}, but the model's texts have ${numPlaces}: cut it`,
    );
  return { classes: vocabularies[vocabulary].encode(filled, file), ...(mask?.includes(0) && { mask }) };
}

function withoutNewline(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, /\r?\n?$/.exec(Buffer.from(bytes).toString('latin1'))!.index);
}

/** A text in which each gap is a space, which every vocabulary has, and where there were none. */
function withoutGaps(text: Uint8Array, gap: Buffer): { filled: Uint8Array; mask: Mask } {
  const filled: number[] = [];
  const known: number[] = [];
  for (let i = 0; i < text.length;) {
    const isGap = gap.equals(text.subarray(i, i + gap.length));
    filled.push(isGap ? SPACE : text[i]!);
    known.push(isGap ? 0 : 1);
    i += isGap ? gap.length : 1;
  }
  return { filled: Uint8Array.from(filled), mask: Uint8Array.from(known) };
}

function readClip(bytes: Uint8Array, file: string, { medium, shape }: SampleKind): Read {
  const { sampleRate } = medium as SampleKind['medium'] & { kind: 'audio' };
  const clip = decodeWav(bytes, file);
  if (clip.sampleRate !== sampleRate)
    throw new UserError(
      `${file} has ${clip.sampleRate} samples a second, and the model's clips have ${sampleRate}: ` +
        `resample it, e.g. with ffmpeg -ar ${sampleRate}`,
    );
  if (clip.samples.length > shape[1])
    throw new UserError(
      `${file} has ${clip.samples.length} samples, but the model's clips have ${shape[1]}: cut it, e.g. with ffmpeg -t ${shape[1] / sampleRate}`,
    );
  return { classes: classesOfSamples(clip.samples) };
}
