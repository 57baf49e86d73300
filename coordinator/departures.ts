/** Why workers leave, in a few words: what the metrics count. */
export const DEPARTURES = [
  'stopped',
  'died',
  'disconnected',
  'silent',
  'late',
  'diverged',
  'misbehaved',
] as const;
export type Departure = (typeof DEPARTURES)[number];

/** How the reasons of `leave` events begin. */
const BEGINNINGS: readonly (readonly [RegExp, Departure])[] = [
  [/^stopped by /, 'stopped'],
  [/^its process died/, 'died'],
  [/^its connection is gone/, 'disconnected'],
  [/^silent for /, 'silent'],
  [/^(owes|has not applied|is more than) /, 'late'],
  [/^holds another state/, 'diverged'],
];

/** The cause in the reason of a `leave` event, which is a sentence; whatever else it is, the worker sent something that no worker sends. */
export function departureOf(reason: string): Departure {
  return BEGINNINGS.find(([beginning]) => beginning.test(reason))?.[1] ?? 'misbehaved';
}
