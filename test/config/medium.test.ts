import assert from 'node:assert/strict';
import test from 'node:test';
import { mediumOf } from '../../shared/config/medium.js';
import { configSchema } from '../../shared/config/schema.js';

test('a set is of images, text in its vocabulary, or audio at its rate', () => {
  const medium = (data: object) => mediumOf(configSchema.shape.data.parse({ sampleRate: 8000, ...data }));
  for (const set of ['mnist', 'fashion-mnist', 'binarised-mnist', 'cifar10', 'folder'])
    assert.deepEqual(medium({ set }), { kind: 'image' });
  assert.deepEqual(medium({ set: 'text8' }), { kind: 'text', vocabulary: 'text8' });
  assert.deepEqual(medium({ set: 'enwik8' }), { kind: 'text', vocabulary: 'enwik8' });
  assert.deepEqual(medium({ set: 'text' }), { kind: 'text', vocabulary: 'bytes' });
  assert.deepEqual(medium({ set: 'text', vocabulary: 'text8' }), { kind: 'text', vocabulary: 'text8' });
  assert.deepEqual(medium({ set: 'sc09' }), { kind: 'audio', sampleRate: 16_000 });
  assert.deepEqual(medium({ set: 'wav' }), { kind: 'audio', sampleRate: 8000 });
});
