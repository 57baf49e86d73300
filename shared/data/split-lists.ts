export type SplitName = 'train' | 'validation' | 'test';

/** The files by which a folder of clips says which are held out, as in Speech Commands: relative names, a line each. */
export const SPLIT_LISTS = { validation: 'validation_list.txt', test: 'testing_list.txt' } as const;

/**
 * The split of each file that a list names; all others are for training.
 *
 * @param lists their bytes, by their names
 */
export function listedSplits(lists: ReadonlyMap<string, Uint8Array>): Map<string, SplitName> {
  const splits = new Map<string, SplitName>();
  for (const split of ['validation', 'test'] as const) {
    const text = Buffer.from(lists.get(SPLIT_LISTS[split]) ?? []).toString('utf8');
    for (const name of text.split(/\r?\n/)) splits.set(name, split);
  }
  return splits;
}
