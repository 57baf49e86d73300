/** What is known of each example of a batch, or of a part of one, after its gradient was computed, in slice order. */
export interface Statistics {
  readonly timeSteps: Int32Array;
  /** Nats, of each example's unknown variables. */
  readonly logLikelihoods: Float64Array;
}

/** The two frames in which statistics travel, without copying. */
export function statisticsFrames({ timeSteps, logLikelihoods }: Statistics): [Uint8Array, Uint8Array] {
  const bytes = ({ buffer, byteOffset, byteLength }: Int32Array | Float64Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return [bytes(timeSteps), bytes(logLikelihoods)];
}

/** The statistics that came in frames; undefined where they are not of `count` examples. */
export function readStatistics(
  [timeSteps, logLikelihoods]: readonly Uint8Array[],
  count: number,
): Statistics | undefined {
  if (timeSteps?.byteLength !== 4 * count || logLikelihoods?.byteLength !== 8 * count) return undefined;
  // Frames begin at any byte, arrays only at whole elements.
  const aligned = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
  return {
    timeSteps: new Int32Array(aligned(timeSteps)),
    logLikelihoods: new Float64Array(aligned(logLikelihoods)),
  };
}
