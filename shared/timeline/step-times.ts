/** A stretch of time, in milliseconds since 1970. */
export interface Stretch {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** When a step and its phases began and ended. Its publication goes on while the next step begins. */
export interface StepTimes {
  readonly begin: number;
  /** The average was there, and the next step began. */
  readonly decided: number;
  readonly phases: readonly Stretch[];
}

/**
 * What a step event tells, in time.
 *
 * @param seconds from the step's beginning until it was decided
 * @param phases seconds
 * @param time of the event, which is told once the step is published
 */
export function stepTimes(
  seconds: number,
  phases: Readonly<Record<'compute' | 'upload' | 'reduce' | 'publish', number>>,
  time: number,
): StepTimes {
  const decided = time - 1000 * phases.publish;
  const begin = decided - 1000 * seconds;
  const arrived = begin + 1000 * phases.compute;
  const complete = arrived + 1000 * phases.upload;
  return {
    begin,
    decided,
    phases: [
      { name: 'compute', begin, end: arrived },
      { name: 'upload', begin: arrived, end: complete },
      { name: 'reduce', begin: Math.max(complete, decided - 1000 * phases.reduce), end: decided },
      { name: 'publish', begin: decided, end: time },
    ],
  };
}
