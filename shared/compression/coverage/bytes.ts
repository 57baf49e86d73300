import { vocabularies } from '../../data/vocabulary.js';
import { ByteWriter } from '../byte-writer.js';
import type { Format } from './format.js';
import { vocabularyOf } from './media.js';

/** Any file, for a model of text that has a class for every byte; the rest: how many they are. */
export const bytesFormat: Format = {
  kind: 'bytes',
  fits: (model) => ['enwik8', 'bytes'].includes(vocabularyOf(model) ?? ''),
  take(bytes, model) {
    const values = vocabularies[vocabularyOf(model)!].encode(bytes, '');
    const images = { count: 1, height: 1, width: bytes.length };
    return { images, values, rest: new ByteWriter().number(bytes.length) };
  },
  put(rest, model, join) {
    const values = join({ count: 1, height: 1, width: rest.number('a length') });
    const bytes = vocabularies[vocabularyOf(model)!].decode(values);
    if (bytes.length < values.length) throw rest.error('has classes that stand for no byte');
    return bytes;
  },
};
