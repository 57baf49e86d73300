import { readFile } from 'node:fs/promises';
import { UsageError } from '../shared/errors.js';
import { checkPolicy, planJointly, planStages } from '../shared/method/plan.js';
import { naivePolicy } from '../shared/method/policy.js';
import { seenComponents } from '../shared/method/seen-components.js';
import type { ModelDescription } from '../shared/model/description.js';

/** Words for `--policy`. */
export const POLICY_HELP =
  "how a budget is spent: naive (equal parts), planned (by the run's loss components), joint (planned over all stages of an upscale model together), or a JSON file with the list of steps, as ardm plan --save writes it";

const KINDS = ['naive', 'planned', 'joint'];

/** Whether a `--policy` names a file, which says itself how many network calls there are. */
export const isPolicyFile = (how: string): boolean => !KINDS.includes(how);

/** What policies are made from. */
export interface PolicySource {
  readonly description: ModelDescription;
  /** Reads the loss components of the run, bits per dimension, NaN where a step was never seen. */
  readonly loadComponents: () => Promise<Float64Array>;
}

/** The steps at which the network is called. */
export interface ChosenPolicy {
  readonly policy: Int32Array;
  /** Of a planned one: the bits per dimension that it was planned to cost. */
  readonly planned?: number;
}

/**
 * The policy of a budget of network calls a stage; absent: a call a variable. `how` is naive, planned, joint or a file.
 *
 * @throws UsageError where the budget or the file does not fit the model, or the run has no loss components to plan by
 */
export async function policyFor(
  { description, loadComponents }: PolicySource,
  how: string,
  budget: number | undefined,
): Promise<ChosenPolicy> {
  const { numPositions, numStages } = description;
  checkAnyOrder(description, how, budget);
  if (isPolicyFile(how)) {
    if (budget !== undefined)
      throw new UsageError(
        `the policy ${how} says itself which network calls there are: leave the budget of ${budget} out`,
      );
    return { policy: await readPolicy(how, description) };
  }
  // All steps are one policy, however it came to be.
  if (how === 'naive' || budget === undefined || budget === numPositions)
    return { policy: naivePolicy(numPositions, budget ?? numPositions, numStages) };
  const components = seenComponents(await loadComponents(), numStages);
  const { policy, cost } =
    how === 'joint'
      ? planJointly(components, numStages, budget * numStages)
      : planStages(components, numStages, budget);
  return { policy, planned: cost };
}

/** Throws UsageError where a model that generates its variables one after another is given a choice. */
function checkAnyOrder(
  { networkShape, numPositions }: ModelDescription,
  how: string,
  budget = numPositions,
): void {
  if (networkShape.factorization === 'any-order') return;
  const given = isPolicyFile(how) ? `the policy ${how}` : `a budget of ${budget}`;
  if (isPolicyFile(how) || budget !== numPositions)
    throw new UsageError(
      `${given} does not fit: this model generates one variable a network call, always ${numPositions} in all`,
    );
}

/**
 * Reads a JSON list of the steps at which the network is called.
 *
 * @throws UsageError where it is none, or does not fit the model
 */
export async function readPolicy(
  file: string,
  { numSteps, numStages }: ModelDescription,
): Promise<Int32Array> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`the policy ${file} can't be read: ${error.message}`, { cause: error });
  });
  const steps = parsed(text);
  if (!Array.isArray(steps))
    throw new UsageError(`the policy ${file} is no JSON list of steps, such as [0, 10, 50]`);
  try {
    checkPolicy(steps as number[], numSteps, numStages);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`, { cause: error });
  }
  return Int32Array.from(steps as number[]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
