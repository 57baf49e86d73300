import { UserError } from '../shared/errors.js';
import type { Classes } from '../shared/method/classes.js';
import type { ExampleCoder } from '../shared/model/coder.js';
import { batches, summarize, type BoundEstimate, type BoundSetup } from './bound.js';
import type { Codec } from './codecs.js';

/** What the examples of a split take once they are coded, each by itself: bits per dimension. */
export type CodedSize = BoundEstimate;

type CodingSetup = Omit<BoundSetup, 'evaluator' | 'passes' | 'timeSteps'>;

/**
 * Codes examples by a policy, and decodes them again.
 *
 * @throws UserError where one does not come back as it was
 */
export async function measureCoding(
  coder: ExampleCoder,
  setup: CodingSetup,
  policy: Int32Array,
): Promise<CodedSize> {
  const { parameters, seed, description, numExamples } = setup;
  const bits = new Float64Array(numExamples);
  for (const { first, count, examples } of batches(setup)) {
    const call = { parameters, seed, policy, first };
    const streams = await coder.encode({ ...call, examples, count });
    const decoded = await coder.decode({ ...call, streams });
    if (decoded.some((x, i) => x !== examples[i]))
      throw new UserError(
        `an example among ${first} to ${first + count - 1} does not come back as it was coded: the engine computes other bits when it decodes`,
      );
    streams.forEach((stream, i) => (bits[first + i] = (8 * stream.length) / description.numVariables));
  }
  return summarize(bits);
}

/** What another compressor makes of the same examples. */
export async function measureCodec(
  codec: Codec,
  setup: CodingSetup,
  onExample: () => void,
): Promise<CodedSize> {
  const { description, numExamples } = setup;
  const { numVariables, numContext } = description;
  const size = numVariables + numContext;
  const bits = new Float64Array(numExamples);
  for (const { first, count, examples } of batches(setup)) {
    for (let i = 0; i < count; i++) {
      const example: Classes = examples.slice(i * size + numContext, (i + 1) * size);
      bits[first + i] = (8 * (await codec.bytesOf(example))) / numVariables;
      onExample();
    }
  }
  return summarize(bits);
}
