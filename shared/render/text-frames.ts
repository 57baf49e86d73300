/** Text samples as one text file: each under a line with its number, an empty line between two. */
export function formatTexts(samples: readonly string[]): string {
  return samples.map((sample, i) => `--- ${i + 1} of ${samples.length} ---\n${sample}\n`).join('\n');
}

/**
 * A trajectory as the text fills in: one line a state, its number before it.
 *
 * @param frames the states from the first to the last, one line each (Vocabulary.show)
 */
export function formatFilm(frames: readonly string[]): string {
  const digits = String(frames.length).length;
  return frames.map((frame, i) => `${String(i + 1).padStart(digits)}  ${frame}\n`).join('');
}
