/** Letters inserted, removed or replaced to make `b` of `a` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

const letters = (word: string) => word.toLowerCase().replace(/[-_\s.]/g, '');

/** What was probably meant by `word`; undefined where nothing is near. Case, dashes and underscores don't count. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  // A longer word than any key can't be near one, and would only cost time.
  if (word.length > 60) return undefined;
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(letters(word), letters(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, letters(word).length / 3) ? best.candidate : undefined;
}
