import { UserError } from '../errors.js';

export type VocabularyName = 'text8' | 'enwik8' | 'bytes';

/** How the bytes of a text become the classes of a model, and back (sections 7.2 and 7.3). */
export interface Vocabulary {
  readonly name: VocabularyName;
  /** K; the absorbed class is K itself. */
  readonly numClasses: number;
  /**
   * One class a byte.
   *
   * @param name for errors
   * @throws UserError that names the first byte that the vocabulary lacks, and its offset
   */
  encode(bytes: Uint8Array, name: string): Uint8Array | Uint16Array;
  /** One byte a class; a class that stands for no byte (reserved or absorbed) is left out. */
  decode(classes: ArrayLike<number>): Uint8Array;
  /**
   * One line for people: the bytes as UTF-8, `�` for what isn't; a newline as `⏎`, what can't be seen and the reserved class as `·`, and a
   * class not known yet as `_` in text8 and `░` elsewhere.
   */
  show(classes: ArrayLike<number>): string;
}

const SPACE = 32;
const LETTER_A = 97;
const LETTER_Z = 122;
const INVISIBLE = '·';

/** Class of a byte in text8, 0 where it has none. */
const text8Classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === SPACE) return 1;
  return byte >= LETTER_A && byte <= LETTER_Z ? byte - LETTER_A + 2 : 0;
});

export const vocabularies: Record<VocabularyName, Vocabulary> = {
  text8: {
    name: 'text8',
    numClasses: 28,
    encode(bytes, name) {
      const classes = bytes.map((byte) => text8Classes[byte]!);
      const offset = classes.indexOf(0);
      if (offset >= 0) throw lacking(name, bytes[offset]!, offset);
      return classes;
    },
    ...reader(28, '_', (c) => (c === 1 ? SPACE : c - 2 + LETTER_A), 1),
  },
  enwik8: {
    name: 'enwik8',
    numClasses: 257,
    encode: (bytes) => new Uint16Array(bytes).map((byte) => byte + 1),
    ...reader(257, '░', (c) => c - 1, 1),
  },
  bytes: {
    name: 'bytes',
    numClasses: 256,
    encode: (bytes) => bytes.slice(),
    ...reader(256, '░', (c) => c, 0),
  },
};

/** Reads classes firstByte..numClasses-1 as bytes; below are the reserved ones, above the absorbed one and those of coarser stages. */
function reader(
  numClasses: number,
  unknown: string,
  toByte: (c: number) => number,
  firstByte: number,
): Pick<Vocabulary, 'decode' | 'show'> {
  const isByte = (c: number): boolean => c >= firstByte && c < numClasses;
  return {
    decode: (classes) => Uint8Array.from(Array.from(classes).filter(isByte), toByte),
    show(classes) {
      let line = '';
      let run: number[] = [];
      const endRun = (): void => {
        line += showBytes(Uint8Array.from(run));
        run = [];
      };
      for (const c of Array.from(classes)) {
        if (isByte(c)) {
          run.push(toByte(c));
          continue;
        }
        endRun();
        line += c < firstByte ? INVISIBLE : unknown;
      }
      endRun();
      return line;
    },
  };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Newlines, controls, format characters and line separators would each break the line or what stands around them. */
const showBytes = (bytes: Uint8Array): string =>
  utf8
    .decode(bytes)
    .replaceAll('\n', '⏎')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, INVISIBLE);

function lacking(name: string, byte: number, offset: number): UserError {
  const character = byte > SPACE && byte < 127 ? ` ("${String.fromCharCode(byte)}")` : '';
  const hex = byte.toString(16).padStart(2, '0');
  return new UserError(
    `${name} has byte 0x${hex}${character} at offset ${offset}, and the vocabulary text8 has only a to z and the space: ` +
      `convert the file, or take the vocabulary bytes`,
  );
}
