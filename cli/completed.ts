import { vocabularies } from '../shared/data/vocabulary.js';
import type { Completions, Mask } from '../shared/model/complete.js';
import type { State } from '../shared/model/generator.js';
import type { Completed } from '../shared/render/completions.js';
import type { SampleKind } from '../shared/render/samples.js';
import type { CompletionInput } from './completion-input.js';

/** What is told of a mask of an input: beyond the end of a clip silence, as in training; beyond that of a text nothing. */
export function toldMask(mask: Mask, { medium, shape }: SampleKind): Mask {
  if (medium.kind !== 'audio') return mask;
  const told = new Uint8Array(shape[1]).fill(1);
  told.set(mask);
  return told;
}

/** What was made, input by input. */
export function completedOf(
  { names, examples, isWhole }: CompletionInput,
  { examples: made, logLikelihoods }: Completions,
): Completed[] {
  const size = examples.length / names.length;
  return names.map((name, n) => ({
    name,
    input: examples.subarray(n * size, (n + 1) * size),
    isWhole,
    completions: indicesOf(n, names.length, logLikelihoods.length).map((i) => ({
      classes: made.subarray(i * size, (i + 1) * size),
      logLikelihood: logLikelihoods[i]!,
    })),
  }));
}

/** The states of all completions, input by input, what is known in each of them as it is. */
export function filmsOf(
  films: readonly (readonly State[])[],
  { names, examples }: CompletionInput,
  mask: Mask,
  { shape, numContext }: SampleKind,
): State[][] {
  const size = examples.length / names.length;
  const end = numContext + mask.length * shape[2];
  const isGiven = (v: number) => v < numContext || mask[Math.floor((v - numContext) / shape[2])] === 1;
  return names.flatMap((_, n) =>
    indicesOf(n, names.length, films.length).map((i) =>
      films[i]!.map(({ classes, known }) => ({
        classes: classes.slice(0, end).map((x, v) => (isGiven(v) ? examples[n * size + v]! : x)),
        known: known.slice(0, end).map((value, v) => (isGiven(v) ? 1 : value)),
      })),
    ),
  );
}

/** A completed text for programs. */
export function textOf(classes: ArrayLike<number>, mask: Mask, { medium, numContext }: SampleKind): string {
  const { decode } = vocabularies[(medium as typeof medium & { kind: 'text' }).vocabulary];
  const text = Array.from(classes).slice(numContext, numContext + mask.length);
  return Buffer.from(decode(text)).toString('utf8');
}

/** Where an input's completions stand among those of all. */
function indicesOf(input: number, numInputs: number, count: number): number[] {
  return Array.from({ length: count / numInputs }, (_, c) => c * numInputs + input);
}
