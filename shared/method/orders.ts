import type { Random } from '../random/philox.js';
import { shuffle } from '../random/shuffle.js';

/**
 * A generation order, uniform over all permutations, as ranks (section 1.2): `order[v]` is the time at which variable v
 * is generated, 0..numVariables-1. Written into `into` where it is given.
 */
export function drawOrder(
  random: Random,
  numVariables: number,
  into: Int32Array = new Int32Array(numVariables),
): Int32Array {
  for (let v = 0; v < numVariables; v++) into[v] = v;
  shuffle(random, into);
  return into;
}

/** The inverse of an order: the variable that is generated at each time. */
export function variablesByRank(order: Int32Array): Int32Array {
  const variables = new Int32Array(order.length);
  order.forEach((rank, variable) => (variables[rank] = variable));
  return variables;
}

/** The order from the first position to the last. */
export function orderInSequence(numPositions: number): Int32Array {
  return Int32Array.from({ length: numPositions }, (_, position) => position);
}
