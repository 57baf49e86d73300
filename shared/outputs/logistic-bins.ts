/** Which classes are the edges: `exact`, the first and the last; `original`, all that lie within 1e-4 of an end. */
export type Edges = 'exact' | 'original';

/** Mass that the original gives an inner bin at least. */
const LEAST_MASS = 1e-12;
/** Half the distance from the ends within which the original takes a class for an edge, as a share of all. */
const EDGE_SHARE = 5e-5;

/**
 * K classes as bins of the line: class k lies at 2 k / (K-1) - 1, and its bin reaches 1 / (K-1) to either side, but that of a class at an
 * edge without end (section 2.6). `original` takes more than one class at each end for the edge where there are more than 20,001, so that
 * their tails overlap and probabilities sum to more than 1 (section 9.2-5), and raises inner bins to 1e-12.
 */
export interface Bins {
  readonly numClasses: number;
  readonly halfWidth: number;
  /** Classes at each end whose bins have no end. */
  readonly numEdges: number;
  /** Least log-mass of an inner bin. */
  readonly logFloor: number;
}

export function binsOf(numClasses: number, edges: Edges): Bins {
  const isExact = edges === 'exact';
  return {
    numClasses,
    halfWidth: 1 / (numClasses - 1),
    numEdges: isExact ? 1 : Math.ceil(EDGE_SHARE * (numClasses - 1)),
    logFloor: isExact ? -Infinity : Math.log(LEAST_MASS),
  };
}

/** The middle of a class's bin. */
export function valueOf(x: number, { halfWidth }: Bins): number {
  return 2 * x * halfWidth - 1;
}

/** The class nearest to a value within [-1, 1]. */
export function classAt(value: number, { numClasses }: Bins): number {
  return Math.round(((value + 1) / 2) * (numClasses - 1));
}
