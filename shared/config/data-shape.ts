import { NUM_LEVELS } from '../data/clips.js';
import { vocabularies } from '../data/vocabulary.js';
import type { ModelData } from '../model/description.js';
import { imageSets } from './image-sets.js';
import { mediumOf } from './medium.js';
import type { Config } from './schema.js';

/** Variables of an example of text, and samples of a clip of audio, as published. */
export const DEFAULT_LENGTH = { text: 250, audio: 16_000 } as const;

/** The examples of a data set, as far as the config alone tells: a folder of images is of whatever size they are. */
export function dataShape(data: Config['data']): ModelData | undefined {
  const medium = mediumOf(data);
  if (medium.kind === 'text')
    return {
      shape: [1, data.context + (data.length ?? DEFAULT_LENGTH.text), 1],
      numClasses: vocabularies[medium.vocabulary].numClasses,
      numContext: data.context,
    };
  if (medium.kind === 'audio')
    return { shape: [1, data.length ?? DEFAULT_LENGTH.audio, 1], numClasses: NUM_LEVELS };
  if (!(data.set in imageSets)) return undefined;
  const { shape, numClasses } = imageSets[data.set as keyof typeof imageSets];
  return { shape, numClasses };
}
