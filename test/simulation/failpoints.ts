/** Where a coordinator is killed. */
export interface Failpoint {
  readonly name: FailpointName;
  /** Times that it is passed before. */
  remaining: number;
  readonly powerFails: boolean;
}

/** How often each is passed in a run, about. */
export const FAILPOINTS = {
  'bucket received': 60,
  'reduce done': 12,
  'commit decided': 15,
  'commit half noted': 15,
  'commit noted': 15,
  published: 80,
  'state sent': 60,
  'manifest written': 4,
  renamed: 4,
  latest: 4,
  pruned: 2,
  'journal replaced': 2,
} as const;
export type FailpointName = keyof typeof FAILPOINTS;
