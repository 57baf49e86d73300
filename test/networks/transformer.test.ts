import assert from 'node:assert/strict';
import test from 'node:test';
import type { TransformerConfig } from '../../shared/config/schema.js';
import type { Engine, Program } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { sizeOf } from '../../shared/engine/program.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { numbers } from '../../shared/engine/tiny-unet.js';
import { countParameters, type Factorization, type NetworkShape } from '../../shared/networks/network.js';
import { transformerParameters } from '../../shared/networks/transformer/parameters.js';
import { createTransformer } from '../../shared/networks/transformer/transformer.js';
import { compareEngines, type Case } from '../engine/compare.js';

const paper: TransformerConfig = {
  kind: 'transformer',
  layers: 12,
  width: 768,
  heads: 12,
  mlpWidth: 3072,
  dropout: 0,
  attentionDropout: 0,
};
const text8: NetworkShape = {
  height: 1,
  width: 250,
  channels: 1,
  maskChannels: 1,
  numInputClasses: 29,
  numOutputs: 28,
  factorization: 'any-order',
};
const count = (settings: Partial<TransformerConfig> = {}, io: Partial<NetworkShape> = {}) =>
  countParameters(transformerParameters({ ...paper, ...settings }, { ...text8, ...io }));

test('the transformer has the published numbers of parameters', () => {
  assert.equal(count(), 85_062_940);
  assert.equal(
    count({}, { numInputClasses: 28 }),
    85_062_172,
    'the original, without a row for unknown tokens',
  );
  assert.equal(count({}, { numInputClasses: 258, numOutputs: 257 }), 85_414_913, 'enwik8');
  assert.equal(count({ layers: 1 }) - count({ layers: 0 }), 7_084_800, 'a layer');
  assert.equal(count({ layers: 0 }, { numInputClasses: 28 }), 44_572, 'no layer');
});

test('memory and checkpoint layouts hold the same elements', () => {
  for (const { name, shape, originalShape } of transformerParameters(paper, text8))
    assert.equal(countParameters([{ shape }]), countParameters([{ shape: originalShape }]), name);
});

test('settings that do not fit together are refused by name', () => {
  const refused = (words: RegExp, settings: Partial<TransformerConfig>, io: Partial<NetworkShape> = {}) =>
    assert.throws(() => count(settings, io), { name: 'UsageError', message: words });
  refused(/^model\.network\.heads is 5, .* model\.network\.width, 768/, { heads: 5 });
  refused(/^model\.network\.kind is transformer, .* 28 x 250 with 1 channel:/, {}, { height: 28 });
  refused(/^model\.network\.kind is transformer, .* 1 x 250 with 3 channels:/, {}, { channels: 3 });
});

const tiny = { ...paper, layers: 2, width: 16, heads: 2, mlpWidth: 32 };
const LENGTH = 7;
const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });

/** The outputs [B][K][L] of a small network for tokens [B,L]. */
async function outputsFor(
  on: Engine,
  factorization: Factorization,
  classes: readonly number[],
  positions: readonly number[],
): Promise<(k: number) => number[]> {
  const batch = classes.length / LENGTH;
  const io = { ...text8, width: LENGTH, numInputClasses: 6, numOutputs: 5, factorization };
  const network = createTransformer(tiny, io);
  const shape = [batch, io.numOutputs, 1, LENGTH];
  const program: Program = {
    name: 'tiny transformer',
    parameters: network.parameters,
    inputs: [
      { name: 'classes', dtype: 'int32', shape: [batch, 1, 1, LENGTH] },
      { name: 'positions', dtype: 'int32', shape: [batch, LENGTH] },
    ],
    outputs: [{ name: 'y', shape }],
    build: (ops, parameters, inputs) => ({
      y: network.apply(ops, parameters, {
        classes: inputs.classes!,
        positions: inputs.positions!,
        dropout: [],
      }),
    }),
  };
  const y = new Float32Array(sizeOf(shape));
  const executable = await on.compile(program);
  await executable.run({
    parameters: numbers(countParameters(network.parameters), 1),
    inputs: { classes: Int32Array.from(classes), positions: Int32Array.from(positions) },
    outputs: { y },
  });
  await executable.dispose();
  return (k) => Array.from({ length: io.numOutputs }, (_, c) => y[c * LENGTH + k]!);
}

const tokens = [3, 1, 4, 1, 5, 2, 0];
const inSequence = [0, 1, 2, 3, 4, 5, 6];
const order = [2, 6, 0, 3, 1, 5, 4];

for (const [factorization, positions] of [
  ['left-to-right', inSequence],
  ['permuted', order],
] as const)
  test(`${factorization}: a class changes no output at or before it, and those after it`, async () => {
    const before = await outputsFor(engine, factorization, tokens, positions);
    for (const changed of [0, 3, 5]) {
      const after = await outputsFor(engine, factorization, tokens.with(changed, 0), positions);
      for (let k = 0; k < LENGTH; k++) {
        if (k <= changed) assert.deepEqual(after(k), before(k), `output ${k}, class ${changed} changed`);
        else assert.notDeepEqual(after(k), before(k), `output ${k}, class ${changed} changed`);
      }
    }
  });

test('permuted: an output knows its own place and those of the classes before it, no later one', async () => {
  const before = await outputsFor(engine, 'permuted', tokens, order);
  const after = await outputsFor(engine, 'permuted', tokens, order.with(3, 4).with(6, 3));
  for (let k = 0; k < LENGTH; k++)
    if (k < 3) assert.deepEqual(after(k), before(k), `output ${k}`);
    else assert.notDeepEqual(after(k), before(k), `output ${k}`);
});

test('any-order: every class changes every output', async () => {
  const before = await outputsFor(engine, 'any-order', tokens, inSequence);
  const after = await outputsFor(engine, 'any-order', tokens.with(3, 5), inSequence);
  for (let k = 0; k < LENGTH; k++) assert.notDeepEqual(after(k), before(k));
});

test('an example gives the same whichever others are in the batch', async () => {
  const alone = await outputsFor(createReferenceEngine(), 'any-order', tokens, inSequence);
  const together = await outputsFor(
    engine,
    'any-order',
    [...tokens, 1, 1, 2, 3, 5, 0, 4],
    [...inSequence, ...inSequence],
  );
  for (let k = 0; k < LENGTH; k++)
    together(k).forEach((value, c) => assert.ok(Math.abs(value - alone(k)[c]!) < 1e-5));
});

for (const [factorization, rate] of [
  ['any-order', 0],
  ['left-to-right', 0.25],
  ['permuted', 0],
] as const) {
  const config = { ...tiny, dropout: rate, attentionDropout: rate };
  const io = { ...text8, width: LENGTH, numInputClasses: 6, numOutputs: 5, factorization };
  const network = createTransformer(config, io);
  const named = network.parameters.map(({ name, shape }) => [name, shape] as const);
  const masks = network.dropouts.map(
    ({ shape }, i) => [`dropout${i}`, { shape: [3, ...shape], below: 2, dtype: 'uint8' as const }] as const,
  );
  const each: Case = {
    name: `the ${factorization} transformer${rate > 0 ? ' with dropout' : ''}`,
    parameters: Object.fromEntries(named),
    integers: {
      classes: { shape: [3, 1, 1, LENGTH], below: 6 },
      positions: { shape: [3, LENGTH], below: LENGTH },
      ...Object.fromEntries(masks),
    },
    output: [3, 5, 1, LENGTH],
    build: (ops, p, { classes, positions, ...given }) =>
      network.apply(
        ops,
        named.map(([name]) => p[name]!),
        {
          classes: classes!,
          positions: positions!,
          dropout: masks.map(([name]) => given[name]!),
        },
      ),
  };

  test(`${each.name} agrees with its plain definition, value and gradients`, () =>
    compareEngines(engine, createReferenceEngine(), each));
}

test('dropout masks come in the order of use, attention weights for each head', () => {
  const { dropouts } = createTransformer({ ...tiny, layers: 1, dropout: 0.1, attentionDropout: 0.2 }, text8);
  assert.deepEqual(dropouts, [
    { shape: [16, 1, 250], keep: 0.9 },
    { shape: [2, 250, 250], keep: 0.8 },
    { shape: [16, 1, 250], keep: 0.9 },
    { shape: [32, 1, 250], keep: 0.9 },
    { shape: [16, 1, 250], keep: 0.9 },
  ]);
});
