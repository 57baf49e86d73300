import assert from 'node:assert/strict';
import test from 'node:test';
import { UserError } from '../../shared/errors.js';
import { decodeWav, encodeWav } from '../../shared/render/wav.js';

const samples = Int16Array.of(0, 1, -1, 32767, -32768, 258);
const whole = encodeWav(samples, 16000);

/** The file with a 16-bit number of its header changed. */
function altered(at: number, value: number): Uint8Array {
  const bytes = Buffer.from(whole);
  bytes.writeUInt16LE(value, at);
  return bytes;
}

function chunk(id: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

const wave = (...chunks: Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), ...chunks]);

const format = whole.subarray(20, 36);
const data = whole.subarray(44);

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => decodeWav(bytes, 'clip.wav'),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.ok(error.message.startsWith('clip.wav '), error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('samples and rate come back as they were', () => {
  for (const rate of [8000, 16000, 192000]) {
    assert.deepEqual(decodeWav(encodeWav(samples, rate), 'clip.wav'), { sampleRate: rate, samples });
  }
});

test('a file is a canonical header of 44 bytes and its samples', () => {
  assert.equal(
    Buffer.from(encodeWav(Int16Array.of(1, -2), 16000)).toString('hex'),
    '52494646' + '28000000' + '57415645' + // RIFF, 40 bytes to come, WAVE
      '666d7420' + '10000000' + '0100' + '0100' + '803e0000' + '007d0000' + '0200' + '1000' + // PCM, mono, 16,000 Hz, 32,000 bytes/s, 16 bits
      '64617461' + '04000000' + '0100' + 'feff',
  ); // prettier-ignore
});

test('bytes that start in the middle of a buffer are read as well', () => {
  const shifted = new Uint8Array(whole.length + 3);
  shifted.set(whole, 3);
  assert.deepEqual(decodeWav(shifted.subarray(3), 'clip.wav').samples, samples);
});

test('other chunks are passed over, those of odd length with their padding', () => {
  const list = chunk('LIST', Buffer.from('INFOabc'));
  const bytes = wave(list, chunk('fmt ', format), list, chunk('data', data), list);
  assert.deepEqual(decodeWav(bytes, 'clip.wav'), { sampleRate: 16000, samples });
});

test('an extensible header is taken when it says PCM', () => {
  const extensible = (format: number): Buffer => {
    const content = Buffer.alloc(40);
    content.set(whole.subarray(20, 36));
    content.writeUInt16LE(0xfffe, 0);
    content.writeUInt16LE(22, 16);
    content.writeUInt16LE(format, 24);
    return wave(chunk('fmt ', content), chunk('data', data));
  };
  assert.deepEqual(decodeWav(extensible(1), 'clip.wav').samples, samples);
  refused(extensible(3), /holds floating-point samples/);
});

test('what is no 16-bit PCM mono is refused with what to do', () => {
  refused(altered(22, 2), /has 2 channels: mix it down to one, e\.g\. with ffmpeg -ac 1$/);
  refused(altered(34, 8), /has 8 bits a sample: convert it to 16/);
  refused(altered(34, 24), /has 24 bits a sample/);
  refused(altered(20, 3), /holds floating-point samples: convert it, e\.g\. with ffmpeg -c:a pcm_s16le$/);
  refused(altered(20, 7), /holds mu-law samples/);
  refused(altered(20, 85), /holds format 85 samples/);
});

test('a file cut off anywhere is refused', () => {
  for (let length = 0; length < whole.length; length++) {
    refused(whole.subarray(0, length), /is no WAV file|is cut off|is damaged or cut off/);
  }
  refused(whole.subarray(0, 47), /its chunk "data" is to have 12 bytes, and it has 3$/);
});

test('damage is named', () => {
  refused(
    Buffer.from('OggS, and more that is no WAV'),
    /is no WAV file: it does not start with RIFF and WAVE/,
  );
  refused(wave(chunk('data', data), chunk('fmt ', format)), /no format before its samples/);
  refused(
    wave(chunk('fmt ', format.subarray(0, 14)), chunk('data', data)),
    /"fmt " has 14 bytes of at least 16/,
  );
  refused(
    wave(chunk('fmt ', format), chunk('data', data.subarray(0, 5))),
    /its 5 bytes of samples end within/,
  );
  refused(wave(chunk('fmt ', format), chunk('data', new Uint8Array())), /has no samples$/);
});
