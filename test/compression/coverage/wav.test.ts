import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { classesOfSamples } from '../../../shared/data/clips.js';
import { encodeWav } from '../../../shared/render/wav.js';
import { noise } from '../../data/archives.js';
import { audioModel, covers, imageModel, roundTrip } from './models.js';

const model = audioModel(100);

const tone = (length: number): Int16Array =>
  Int16Array.from({ length }, (_, i) => 20_000 * Math.sin(i / 9) + ((i * 7919) % 300));

function chunk(name: string, data: Uint8Array, size = data.length): Uint8Array {
  const header = Buffer.alloc(8);
  header.write(name, 'latin1');
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, data, Buffer.alloc(data.length % 2)]);
}

function format(channels: number, { code = 1, bits = 16, extra = 0 } = {}): Uint8Array {
  const bytes = Buffer.alloc(16 + extra);
  [code, channels].forEach((value, i) => bytes.writeUInt16LE(value, i * 2));
  bytes.writeUInt32LE(44_100, 4);
  bytes.writeUInt16LE(bits, 14);
  if (extra > 0) bytes.writeUInt16LE(1, 24);
  return chunk('fmt ', bytes);
}

const wav = (...chunks: Uint8Array[]): Uint8Array =>
  chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));

const samples = (length: number): Uint8Array => new Uint8Array(tone(length).buffer);

test('a clip of any sample rate is cut into chunks, and its header needs a few bytes', async () => {
  for (const sampleRate of [8000, 16_000, 44_100]) {
    const { kind, examples, absent, rest } = await covers(encodeWav(tone(250), sampleRate), model);
    assert.equal(kind, 'wav');
    assert.deepEqual(examples.subarray(0, 250), classesOfSamples(tone(250)));
    assert.deepEqual(
      absent,
      Uint8Array.from({ length: 300 }, (_, i) => (i < 250 ? 0 : 1)),
    );
    assert.ok(rest.length <= 8, `${rest.length} bytes`);
  }
});

test('channels are sequences of their own', async () => {
  const { examples, absent } = await covers(wav(format(2), chunk('data', samples(300))), model);
  const classes = classesOfSamples(tone(300));
  assert.equal(examples.length, 400);
  assert.deepEqual(
    examples.filter((_, i) => !absent![i]),
    Uint16Array.from([...classes.filter((_, i) => i % 2 === 0), ...classes.filter((_, i) => i % 2 === 1)]),
  );
});

test('odd chunks before and after the samples come back', async () => {
  const data = chunk('data', samples(200));
  const list = chunk('LIST', Buffer.from('INFOodd'));
  for (const bytes of [
    wav(list, format(1), list, data, list),
    wav(format(1, { code: 0xfffe, extra: 24 }), data),
    wav(format(1), chunk('data', Buffer.concat([samples(200), noise(1)]))),
    wav(format(2), chunk('data', samples(201)), list),
    Buffer.concat([encodeWav(tone(200), 8000), noise(30)]),
  ]) {
    await covers(bytes, model);
  }
});

test('a length that is wrong, as programs that write into a pipe leave it, is no hindrance', async () => {
  for (const size of [0xffffffff, 0x7ffff000]) {
    const { examples } = await covers(wav(format(1), chunk('data', samples(200), size)), model);
    assert.equal(examples.length, 200);
  }
  const whole = encodeWav(tone(200), 8000);
  assert.ok(await roundTrip(whole.subarray(0, 300), model));
});

test('other samples than 16-bit PCM, and other models, are not covered', async () => {
  const data = chunk('data', samples(200));
  const files = {
    '8 bits': wav(format(1, { bits: 8 }), data),
    float: wav(format(1, { code: 3 }), data),
    'no channels': wav(format(0), data),
    'no format': wav(data),
    'a format cut off': wav(chunk('fmt ', new Uint8Array(8)), data),
    'no samples': wav(format(1), chunk('data', new Uint8Array())),
    'no data': wav(format(1)),
    'less than a frame': wav(format(2), chunk('data', noise(3))),
    'a chunk without end': wav(chunk('LIST', noise(4), 0xffffffff), format(1), data),
    nothing: new Uint8Array(),
    'no WAV': noise(100),
  };
  for (const [what, bytes] of Object.entries(files))
    assert.equal(await roundTrip(bytes, model), undefined, what);
  assert.equal(await roundTrip(wav(format(1), data), imageModel(8, 8, 1)), undefined);
  assert.equal(await roundTrip(wav(format(1), data), { ...model, numClasses: 256 }), undefined);
});

test('any clip comes back, whatever stands around its samples', async () => {
  const name = fc.constantFrom('LIST', 'fact', 'id3 ', 'data', 'fmt ');
  const odd = fc.tuple(name, fc.uint8Array({ maxLength: 30 })).map(([name, data]) => chunk(name, data));
  const clip = fc.record({
    channels: fc.integer({ min: 1, max: 4 }),
    data: fc.uint8Array({ maxLength: 300, size: 'max' }),
    before: fc.array(odd, { maxLength: 2 }),
    after: fc.array(odd, { maxLength: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(
      clip,
      fc.integer({ min: 1, max: 60 }),
      async ({ channels, data, before, after }, length) => {
        await roundTrip(wav(...before, format(channels), chunk('data', data), ...after), audioModel(length));
      },
    ),
    { numRuns: 100, seed: 3 },
  );
});
