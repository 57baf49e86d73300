import assert from 'node:assert/strict';
import test from 'node:test';
import { vocabularies } from '../../shared/data/vocabulary.js';
import type { VocabularyName } from '../../shared/data/vocabulary.js';
import { UserError } from '../../shared/errors.js';

const { text8, enwik8, bytes } = vocabularies;
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test('text8 is a space and a to z from 1 on', () => {
  assert.deepEqual([...text8.encode(utf8('the cat'), 'x')], [21, 9, 6, 1, 4, 2, 21]);
  assert.deepEqual([...text8.encode(utf8(' az'), 'x')], [1, 2, 27]);
  assert.equal(text8.numClasses, 28);
});

test('enwik8 is each byte and one', () => {
  const classes = enwik8.encode(everyByte, 'x');
  assert.equal(classes[0], 1);
  assert.equal(classes[255], 256);
  assert.equal(enwik8.numClasses, 257);
});

test('bytes are themselves, in memory of their own', () => {
  const source = everyByte.slice();
  const classes = bytes.encode(source, 'x');
  assert.deepEqual([...classes], [...everyByte]);
  source.fill(0);
  assert.equal(classes[255], 255);
});

test('what a vocabulary encodes it decodes, and all classes are below K', () => {
  const texts: Record<VocabularyName, Uint8Array> = {
    text8: utf8('abcdefghijklmnopqrstuvwxyz z a'),
    enwik8: everyByte,
    bytes: everyByte,
  };
  for (const vocabulary of Object.values(vocabularies)) {
    const classes = vocabulary.encode(texts[vocabulary.name], 'x');
    assert.deepEqual(vocabulary.decode(classes), texts[vocabulary.name]);
    assert.ok(classes.every((c) => c < vocabulary.numClasses));
  }
});

test('text8 refuses other bytes and says which, where', () => {
  const refused = (text: Uint8Array): string => {
    try {
      text8.encode(text, 'notes.txt');
    } catch (error) {
      assert.ok(error instanceof UserError);
      return error.message;
    }
    return assert.fail('accepted');
  };
  assert.match(
    refused(utf8('the Cat')),
    /^notes\.txt has byte 0x43 \("C"\) at offset 4, and .*take the vocabulary bytes$/,
  );
  assert.match(refused(utf8('one\ntwo\n')), /byte 0x0a at offset 3/);
  assert.match(refused(Uint8Array.of(97, 0)), /byte 0x00 at offset 1/);
  assert.match(refused(Uint8Array.of(255)), /byte 0xff at offset 0/);
});

test('reserved and absorbed classes decode to nothing', () => {
  assert.deepEqual(text8.decode([0, 2, 28, 3, 30]), utf8('ab'));
  assert.deepEqual(enwik8.decode(Uint16Array.of(0, 98, 257, 99)), utf8('ab'));
  assert.deepEqual(bytes.decode([97, 256, 98]), utf8('ab'));
});

test('a line for people shows what is not known yet, one sign a class', () => {
  assert.equal(text8.show([28, 2, 28, 1, 0, 3]), '_a_ ·b');
  assert.equal(enwik8.show([257, 98, 257, 0]), '░a░·');
  assert.equal(bytes.show([256, 97, 256]), '░a░');
});

test('a line for people stays one line, whatever its bytes', () => {
  assert.equal(bytes.show(utf8('a\nb\tc\r\u001b[1m')), 'a⏎b·c··[1m');
  assert.equal(bytes.show(utf8('\ufeffa')), '·a');
  assert.equal(bytes.show(utf8('\u2028\u202e\u0085\ufeff')), '····');
  assert.equal(bytes.show(utf8('naïve 日本 🙂')), 'naïve 日本 🙂');
});

test('what is no UTF-8 is replaced, a character with a gap in it too', () => {
  assert.equal(bytes.show([97, 255, 98]), 'a�b');
  assert.equal(bytes.show([0xc3, 256]), '�░');
  assert.equal(bytes.show([0xc3, 0xa9]), 'é');
});
