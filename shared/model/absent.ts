import { UserError } from '../errors.js';
import { variablesByRank } from '../method/orders.js';
import type { ModelDescription } from './description.js';

/**
 * For each position of an example 1 where it is left out, from the same of its variables, context and all. Throws UserError where only
 * some of a position's variables are: they are coded together.
 */
export function positionsAbsent(
  variables: Uint8Array,
  example: number,
  { numContext, numPositions, variablesPerPosition }: ModelDescription,
): Uint8Array {
  return Uint8Array.from({ length: numPositions }, (_, position) => {
    const first = numContext + position * variablesPerPosition;
    const ofPosition = variables.subarray(first, first + variablesPerPosition);
    if (ofPosition.some((value) => value !== ofPosition[0]))
      throw new UserError(
        `Example ${example}: of the variables from ${first} on, which are coded together, some are left out and others not.`,
      );
    return ofPosition[0]!;
  });
}

/** An order with the positions that are left out behind the others, both as they were among themselves. */
export function lastWhereAbsent(order: Int32Array, absent: Uint8Array): Int32Array {
  const positions = [...variablesByRank(order)];
  const moved = new Int32Array(order.length);
  [0, 1]
    .flatMap((value) => positions.filter((position) => absent[position] === value))
    .forEach((position, rank) => (moved[position] = rank));
  return moved;
}
