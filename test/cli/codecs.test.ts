import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { encode } from 'fast-png';
import { findCodecs } from '../../cli/codecs.js';

const image = Uint8Array.from({ length: 16 * 12 }, (_, i) => (i % 16) * 9 + Math.floor(i / 16));

test('an image goes through PNG and whatever else is installed, and what is not is named', async () => {
  const { codecs, missing } = await findCodecs({ shape: [12, 16, 1], isImage: true });
  const names = codecs.map(({ name }) => name);
  assert.equal(names[0], 'PNG');
  assert.equal(names.at(-1), 'brotli');
  assert.equal(names.length + missing.length, 7);
  for (const codec of codecs) {
    const bytes = await codec.bytesOf(image);
    assert.ok(bytes > 0 && bytes < 500, `${codec.name}: ${bytes}`);
  }
});

test('a PNG is at most as large as one without filters', async () => {
  const { codecs } = await findCodecs({ shape: [12, 16, 1], isImage: true });
  const plain = encode({ width: 16, height: 12, channels: 1, data: image }, { zlib: { level: 9 } }).length;
  const best = await codecs[0]!.bytesOf(image);
  assert.ok(best < plain, `a gradient is made for filters: ${best} of ${plain}`);
});

test('what is no image goes through general compressors, two bytes a class where there are many', async () => {
  const clip = Uint16Array.from({ length: 300 }, (_, i) => 257 * (i % 7));
  const { codecs } = await findCodecs({ shape: [1, 300, 1], isImage: false });
  assert.ok(!codecs.some(({ name }) => ['PNG', 'WebP', 'JPEG XL', 'FLIF'].includes(name)));
  const bytes = new Uint8Array(clip.buffer);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  assert.equal(await codecs.at(-1)!.bytesOf(clip), brotliCompressSync(bytes, { params }).length);
});
