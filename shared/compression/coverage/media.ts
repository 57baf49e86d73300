import type { VocabularyName } from '../../data/vocabulary.js';
import type { CoverageModel } from '../file-coder.js';

/** Whether a model is of images whose channels are bytes. */
export const isByteImage = ({ shape, numClasses, medium }: CoverageModel, channels: number): boolean =>
  medium.kind === 'image' && numClasses === 256 && shape[2] === channels;

/** Undefined for models of anything but text. */
export const vocabularyOf = ({ medium }: CoverageModel): VocabularyName | undefined =>
  medium.kind === 'text' ? medium.vocabulary : undefined;
