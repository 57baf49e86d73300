import assert from 'node:assert/strict';
import { coverage } from '../../../shared/compression/coverage/cover.js';
import type { Covered, CoverageModel } from '../../../shared/compression/file-coder.js';
import type { VocabularyName } from '../../../shared/data/vocabulary.js';

export const imageModel = (height: number, width: number, channels: number): CoverageModel => ({
  shape: [height, width, channels],
  numClasses: 256,
  numContext: 0,
  medium: { kind: 'image' },
});

const NUM_CLASSES = { text8: 28, enwik8: 257, bytes: 256 };

export const textModel = (vocabulary: VocabularyName, length: number, numContext = 0): CoverageModel => ({
  shape: [1, numContext + length, 1],
  numClasses: NUM_CLASSES[vocabulary],
  numContext,
  medium: { kind: 'text', vocabulary },
});

export const audioModel = (length: number): CoverageModel => ({
  shape: [1, length, 1],
  numClasses: 65_536,
  numContext: 0,
  medium: { kind: 'audio', sampleRate: 16_000 },
});

/**
 * Covers a file and gives it back as a decoder would, which knows nothing of the variables that are absent. Undefined where the model does not
 * cover it.
 */
export async function roundTrip(bytes: Uint8Array, model: CoverageModel): Promise<Covered | undefined> {
  const covered = await coverage.cover(bytes, model);
  if (!covered) return undefined;
  const { kind, examples, absent, rest } = covered;
  assert.ok(examples.every((value) => value < model.numClasses));
  const decoded = examples.map((value, i) => (absent?.[i] ? model.numClasses - 1 : value));
  const back = await coverage.uncover(kind, rest, decoded, model);
  assert.deepEqual(Buffer.from(back), Buffer.from(bytes));
  return covered;
}

/** The same, of a file that must be covered. */
export async function covers(bytes: Uint8Array, model: CoverageModel): Promise<Covered> {
  const covered = await roundTrip(bytes, model);
  assert.ok(covered, 'not covered');
  return covered;
}
