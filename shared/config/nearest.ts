/** Letters inserted, removed, replaced or swapped with their neighbour to make `b` of `a` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const distance = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) distance[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const at = (up: number, left: number) => distance[i - up]![j - left]!;
      let least = Math.min(at(1, 1) + (a[i - 1] === b[j - 1] ? 0 : 1), at(1, 0) + 1, at(0, 1) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, at(2, 2) + 1);
      distance[i]![j] = least;
    }
  }
  return distance[a.length]![b.length]!;
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
