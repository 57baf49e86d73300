import { componentsWithin, policyOfSpan, policyWithin, type Span } from '../shared/method/span.js';
import { seenComponents } from '../shared/method/seen-components.js';
import { isPolicyFile, policyFor, type PolicySource } from './policies.js';

/**
 * The policy within a span: a budget of network calls a stage is spent on the span alone, planned by its own loss components; of a file
 * the steps are taken that lie in it.
 *
 * @throws UsageError as `policyFor` does
 */
export async function spanPolicyFor(
  { description, loadComponents }: PolicySource,
  how: string,
  budget: number | undefined,
  span: Span,
): Promise<Int32Array> {
  const { numPositions, numStages } = description;
  if (isPolicyFile(how)) {
    const { policy } = await policyFor({ description, loadComponents }, how, budget);
    return policyWithin(policy, numPositions, numStages, span);
  }
  const size = span.end - span.begin;
  const part: PolicySource = {
    description: { ...description, numPositions: size, numSteps: size * numStages },
    loadComponents: async () =>
      componentsWithin(seenComponents(await loadComponents(), numStages), numStages, span),
  };
  const { policy } = await policyFor(part, how, budget);
  return policyOfSpan(policy, numPositions, span);
}
