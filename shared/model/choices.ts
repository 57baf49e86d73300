import { UserError } from '../errors.js';
import type { Cumulative } from '../outputs/cumulative.js';
import type { Choice, Chooser } from './generator.js';

/** Tells which of the classes that a variable may get it gets: 0..count-1. */
export type Picker = (cumulative: Cumulative, choice: Choice, variable: number) => number;

/**
 * Chooses the classes of a position's variables one after another, each given those before it. Throws UserError where what the
 * network says of a position isn't finite.
 */
export function oneByOne(pick: Picker): Chooser {
  return (choice, classes) => {
    checkFinite(choice);
    const { variable, output, outputs, places } = choice;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const given = places.length === 1 ? place : { ...place, earlier: classes.subarray(0, i) };
      const cumulative = output.cumulative(outputs, given);
      classes[i] = cumulative.classOf(pick(cumulative, choice, variable + i));
    }
  };
}

function checkFinite({ nth, j, variable, output: { numOutputs }, outputs, places }: Choice): void {
  const begin = places[0]!.row * numOutputs;
  let sum = 0;
  // 0, unless one of them is infinite or no number.
  for (let i = begin; i < begin + numOutputs; i++) sum += outputs[i]! * 0;
  if (sum !== 0)
    throw new UserError(
      `The network's outputs for variable ${variable} of example ${nth} of a batch are not finite at call ${j}: ` +
        'its parameters are damaged, or training had diverged. Take another checkpoint.',
    );
}
