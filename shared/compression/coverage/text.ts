import { vocabularies } from '../../data/vocabulary.js';
import { ByteWriter } from '../byte-writer.js';
import type { Format } from './format.js';
import { vocabularyOf } from './media.js';

const [SPACE, NEWLINE] = [32, 10];
/** Upper-case and lower-case letters differ by it. */
const CASE = 32;
const isUpper = (byte: number): boolean => byte >= 65 && byte <= 90;
const isLetterOrSpace = (byte: number): boolean => byte === SPACE || (byte >= 97 && byte <= 122);

/**
 * A text for a model of lower-case letters and the space. The model codes upper-case letters as lower-case ones and newlines as spaces; other
 * bytes are cut out. The rest: how many characters are coded, how many bytes are not as coded, those bytes, and for each how many characters are
 * coded between the one before and it.
 */
export const textFormat: Format = {
  kind: 'text',
  fits: (model) => vocabularyOf(model) === 'text8',
  take(bytes) {
    const coded = new Uint8Array(bytes.length);
    const others: number[] = [];
    const gaps = new ByteWriter();
    let [length, previous] = [0, 0];
    bytes.forEach((byte) => {
      if (!isLetterOrSpace(byte)) {
        others.push(byte);
        gaps.number(length - previous);
        previous = length;
        if (!isReplaced(byte)) return;
      }
      coded[length++] = replacement(byte);
    });
    const values = vocabularies.text8.encode(coded.subarray(0, length), '');
    const rest = new ByteWriter().number(length).sized(Uint8Array.from(others));
    return { images: { count: 1, height: 1, width: length }, values, rest: rest.bytes(gaps.finish()) };
  },
  put(rest, _, join) {
    const length = rest.number('a length');
    const others = rest.sized('other bytes');
    const values = join({ count: 1, height: 1, width: length });
    const coded = vocabularies.text8.decode(values);
    if (coded.length < length) throw rest.error('has classes that stand for no character');
    const bytes = new Uint8Array(length + others.filter((byte) => !isReplaced(byte)).length);
    let [at, from] = [0, 0];
    const copyTo = (end: number): void => {
      bytes.set(coded.subarray(from, end), at);
      at += end - from;
      from = end;
    };
    let place = 0;
    for (const byte of others) {
      place += rest.number('a distance', length - (isReplaced(byte) ? 1 : 0) - place);
      if (place < from) throw rest.error('has two bytes in one place');
      copyTo(place);
      if (isReplaced(byte) && coded[from++] !== replacement(byte))
        throw rest.error('does not fit the characters');
      bytes[at++] = byte;
    }
    copyTo(length);
    return bytes;
  },
};

/** Whether the model codes a character in place of the byte, rather than nothing. */
const isReplaced = (byte: number): boolean => isUpper(byte) || byte === NEWLINE;

function replacement(byte: number): number {
  if (byte === NEWLINE) return SPACE;
  return isUpper(byte) ? byte + CASE : byte;
}
