import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { GPU_FORMS, type Forms } from '../../shared/engine/trace/builder.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';
import { compareEngines, type Case } from './compare.js';

const cases: Case[] = [];

for (const [what, [batch, inputs, outputs, height, width]] of Object.entries({
  'of odd sizes': [2, 3, 5, 5, 7],
  'of one row': [1, 2, 3, 1, 6],
  'direct, width a multiple of 4': [2, 4, 6, 3, 8],
  'by Winograd, more channels out': [2, 32, 48, 4, 8],
  'by Winograd, more channels in': [1, 64, 16, 8, 4],
  'by Winograd, tiles by fours': [2, 32, 32, 2, 16],
  'by Winograd, many more channels out': [1, 16, 80, 3, 16],
  'by Winograd, rows of several examples together': [4, 32, 16, 4, 16],
  'by Winograd, rows of two examples, many more channels out': [4, 16, 48, 3, 32],
  'blocked, too few rows for Winograd': [1, 32, 48, 3, 8],
  'blocked, width no multiple of 4': [2, 16, 32, 3, 5],
} satisfies Record<string, number[]>) as [string, [number, number, number, number, number]][]) {
  const x = [batch, inputs, height, width];
  const kernel = [9, outputs, inputs];
  cases.push({
    name: `conv3x3 ${what}`,
    parameters: { x, kernel, bias: [outputs] },
    output: [batch, outputs, height, width],
    build: (ops, p) => ops.conv3x3(p.x!, p.kernel!, p.bias),
  });
  cases.push({
    name: `conv3x3 without bias ${what}`,
    parameters: { x, kernel },
    output: [batch, outputs, height, width],
    build: (ops, p) => ops.conv3x3(p.x!, p.kernel!),
  });
}

for (const [height, width] of [
  [4, 6],
  [5, 7],
  [5, 4],
] as const)
  cases.push({
    name: `conv3x3Stride2 of ${height} x ${width}`,
    parameters: { x: [2, 3, height, width], kernel: [9, 4, 3], bias: [4] },
    output: [2, 4, Math.ceil(height / 2), Math.ceil(width / 2)],
    build: (ops, p) => ops.conv3x3Stride2(p.x!, p.kernel!, p.bias!),
  });

for (const [batch, inputs, outputs, height, width] of [
  [1, 3, 4, 3, 5],
  [3, 3, 4, 3, 5],
  [2, 32, 16, 3, 5],
  [2, 16, 48, 4, 8],
] as const)
  cases.push({
    name: `conv1x1 of batch ${batch}, ${inputs} to ${outputs} channels`,
    parameters: { x: [batch, inputs, height, width], kernel: [outputs, inputs], bias: [outputs] },
    output: [batch, outputs, height, width],
    build: (ops, p) => ops.conv1x1(p.x!, p.kernel!, p.bias!),
  });

cases.push({
  name: 'upsample2',
  parameters: { x: [2, 3, 3, 5] },
  output: [2, 3, 6, 10],
  build: (ops, p) => ops.upsample2(p.x!),
});

for (const swish of [true, false])
  for (const groups of [1, 2, 3, 6])
    cases.push({
      name: `groupNorm of ${groups} groups${swish ? ' with swish' : ''}`,
      parameters: { x: [2, 6, 3, 5], scale: [6], bias: [6] },
      output: [2, 6, 3, 5],
      build: (ops, p) => ops.groupNorm(p.x!, p.scale!, p.bias!, groups, swish),
    });

for (const [height, width] of [
  [3, 5],
  [2, 8],
] as const)
  for (const swish of [true, false])
    for (const groups of [1, 8, 32])
      cases.push({
        name: `groupNorm of 32 channels in ${groups} groups, ${height} x ${width}${swish ? ', with swish' : ''}`,
        parameters: { x: [2, 32, height, width], scale: [32], bias: [32] },
        output: [2, 32, height, width],
        build: (ops, p) => ops.groupNorm(p.x!, p.scale!, p.bias!, groups, swish),
      });

/** What a residual block does between and beside its convolutions, on maps that stay as these leave them. */
for (const [height, width] of [
  [3, 5],
  [2, 8],
] as const)
  cases.push({
    name: `convolutions of ${height} x ${width}, joined, parted, shifted, dropped and attended to`,
    parameters: {
      x: [2, 16, height, width],
      kernel: [9, 32, 16],
      time: [2, 32, 1, 1],
      mix: [32, 48],
      bias: [32],
    },
    integers: { mask: { shape: [2, 48, height, width], below: 2, dtype: 'uint8' } },
    output: [2, 32, height, width],
    build: (ops, p, { mask }) => {
      const first = tf.mul(tf.add(ops.conv3x3(p.x!, p.kernel!), p.time!), 0.1);
      const both = ops.dropout(tf.concat([first, p.x!], 1), mask!, 0.7);
      const [left, right] = tf.split(ops.conv1x1(both, p.mix!, p.bias!), 2, 1) as [Tensor, Tensor];
      const sum = tf.add(tf.sigmoid(left), tf.mul(right, 0.3));
      const joined = tf.concat([sum, tf.mul(sum, right)], 1);
      return tf.add(ops.attention(joined, first, joined, 2), tf.sub(first, tf.mean(joined, [2, 3], true)));
    },
  });

cases.push({
  name: 'swish',
  parameters: { x: [3, 7] },
  output: [3, 7],
  build: (ops, p) => ops.swish(tf.mul(p.x!, 5)),
});

for (const channels of [1, 3])
  cases.push({
    name: `embedClasses of ${channels} channels`,
    parameters: { table: [11, 4], projection: [channels, 4, 5] },
    integers: { classes: { shape: [2, channels, 3, 5], below: 11 } },
    output: [2, 5, 3, 5],
    build: (ops, p, { classes }) => ops.embedClasses(classes!, p.table!, p.projection!),
  });

cases.push({
  name: 'dropout',
  parameters: { x: [2, 3, 3, 5] },
  integers: { mask: { shape: [2, 3, 3, 5], below: 2, dtype: 'uint8' } },
  output: [2, 3, 3, 5],
  build: (ops, p, { mask }) => ops.dropout(p.x!, mask!, 0.7),
});

for (const heads of [1, 2, 3])
  cases.push({
    name: `attention of ${heads} heads`,
    parameters: { query: [2, 6, 3, 5], key: [2, 6, 3, 5], value: [2, 6, 3, 5] },
    output: [2, 6, 3, 5],
    build: (ops, p) => ops.attention(tf.mul(p.query!, 3), p.key!, p.value!, heads),
  });

for (const channels of [1, 3])
  cases.push({
    name: `logLikelihood of ${channels} channels`,
    parameters: { logits: [2, channels * 7, 3, 5], weight: [2, channels, 3, 5] },
    integers: { target: { shape: [2, channels, 3, 5], below: 7 } },
    output: [2],
    build: (ops, p, { target }) => ops.logLikelihood(tf.mul(p.logits!, 4), target!, p.weight!, 7),
  });

const forms: Record<string, Forms | undefined> = {
  'the forms of this CPU': undefined,
  'the forms of a CPU without blocked convolutions': { device: 'cpu', channelBlock: 0 },
  'the forms of GPUs': GPU_FORMS,
};
const reference = createReferenceEngine();
for (const [what, given] of Object.entries(forms)) {
  const engine = await createOnnxruntimeEngine({
    provider: 'cpu',
    threads: 1,
    ...(given ? { forms: given } : {}),
  });
  for (const each of cases)
    test(`${each.name} agrees with the plain definition in ${what}`, () =>
      compareEngines(engine, reference, each));
}
