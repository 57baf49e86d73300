import assert from 'node:assert/strict';
import test from 'node:test';
import { decisiveDifferences } from '../../shared/checkpoint/other-config.js';
import { configHash } from '../../shared/config/hash.js';
import { configSchema, type Config } from '../../shared/config/schema.js';
import { config } from './made-up.js';

/** As a manifest gives it back. */
const stored = (config: object) => JSON.parse(JSON.stringify(config)) as Record<string, unknown>;

test('a config does not differ from itself', () => {
  assert.deepEqual(decisiveDifferences(config, stored(config)), []);
});

test('settings that differ are told by dotted path with both values', () => {
  const theirs = structuredClone(config);
  theirs.seed = 8;
  Object.assign(theirs.model.network, { multipliers: [1, 2] });
  theirs.data.augment = 'flip';
  assert.deepEqual(decisiveDifferences(config, stored(theirs)), [
    { path: 'seed', ours: 7, theirs: 8 },
    { path: 'data.augment', ours: 'none', theirs: 'flip' },
    { path: 'model.network.multipliers', ours: [1], theirs: [1, 2] },
  ]);
});

test('what does not count in the hash is not told', () => {
  const theirs = structuredClone(config);
  theirs.name = 'another';
  theirs.training.steps = 1;
  theirs.checkpoints.keepLast = 9;
  theirs.http = '127.0.0.1:0';
  assert.equal(configHash(theirs), configHash(config));
  assert.deepEqual(decisiveDifferences(config, stored(theirs)), []);
});

test('another codec is another training, but for the one that keeps every bit, which older configs do not name', () => {
  const withCodec = (codec: object) => configSchema.parse({ ...config, exchange: { codec } });
  const older = Object.fromEntries(
    Object.entries(config).filter(([name]) => name !== 'exchange'),
  ) as typeof config;
  assert.equal(configHash(older), configHash(config));
  assert.deepEqual(decisiveDifferences(withCodec({ kind: 'bf16' }), stored(config)), [
    { path: 'exchange.codec.kind', ours: 'bf16', theirs: 'float32' },
  ]);
  assert.notEqual(
    configHash(withCodec({ kind: 'int8' })),
    configHash(withCodec({ kind: 'int8', rounding: 'feedback' })),
  );
  assert.deepEqual(
    decisiveDifferences(withCodec({ kind: 'bf16' }), stored(older)).map(({ path }) => path),
    ['exchange'],
  );
});

test('a folder of images may be moved, not renamed', () => {
  const at = (folder: string): Config => configSchema.parse({ ...config, data: { set: 'folder', folder } });
  assert.deepEqual(decisiveDifferences(at('/a/cats'), stored(at('/b/cats'))), []);
  assert.deepEqual(decisiveDifferences(at('/a/cats'), stored(at('/a/dogs'))), [
    { path: 'data.folder', ours: '/a/cats', theirs: '/a/dogs' },
  ]);
});

test('settings that only one of them knows, or knows in another form, differ too', () => {
  const theirs = stored(config) as { training: Record<string, unknown>; model: Record<string, unknown> };
  delete theirs.training.clip;
  theirs.training.momentum = 0.5;
  theirs.model.network = 'large';
  assert.deepEqual(decisiveDifferences(config, theirs), [
    { path: 'model.network', ours: config.model.network, theirs: 'large' },
    { path: 'training.clip', ours: 100, theirs: undefined },
    { path: 'training.momentum', ours: undefined, theirs: 0.5 },
  ]);
});
