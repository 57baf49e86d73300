import type { VocabularyName } from '../data/vocabulary.js';
import type { Config } from './schema.js';

/** What the examples of a data set are to a person. */
export type Medium =
  | { readonly kind: 'image' }
  | { readonly kind: 'text'; readonly vocabulary: VocabularyName }
  /** `sampleRate` in Hz. */
  | { readonly kind: 'audio'; readonly sampleRate: number };

/** Samples a second of the published audio set. */
export const SC09_SAMPLE_RATE = 16_000;

export function mediumOf(data: Config['data']): Medium {
  switch (data.set) {
    case 'text8':
    case 'enwik8':
      return { kind: 'text', vocabulary: data.set };
    case 'text':
      return { kind: 'text', vocabulary: data.vocabulary };
    case 'sc09':
      return { kind: 'audio', sampleRate: SC09_SAMPLE_RATE };
    case 'wav':
      return { kind: 'audio', sampleRate: data.sampleRate };
    default:
      return { kind: 'image' };
  }
}
