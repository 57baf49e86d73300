import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { GPU_FORMS, type Forms } from '../../shared/engine/trace/builder.js';
import type { Ops } from '../../shared/networks/ops.js';
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

for (const causal of [false, true])
  for (const [batch, inputs, outputs, length, dilation] of [
    [2, 3, 5, 11, 2],
    [2, 16, 32, 24, 1],
    [2, 32, 16, 21, 4],
    [1, 16, 16, 8, 6],
    [1, 16, 16, 8, 9],
    [1, 2, 3, 5, 6],
  ] as const)
    cases.push({
      name: `${causal ? 'causal ' : ''}dilatedConv of ${inputs} to ${outputs} channels, length ${length}, dilation ${dilation}`,
      parameters: { x: [batch, inputs, 1, length], kernel: [3, outputs, inputs], bias: [outputs] },
      output: [batch, outputs, 1, length],
      build: (ops, p) => ops.dilatedConv(p.x!, p.kernel!, p.bias!, dilation, causal),
    });

/** What the audio network does between its convolutions, on maps that stay as these leave them. */
for (const batch of [1, 2])
  cases.push({
    name: `a residual block of ${batch} sequences, with what follows it`,
    parameters: {
      x: [batch, 16, 1, 12],
      time: [batch, 16, 1, 1],
      first: [3, 16, 16],
      second: [3, 16, 16],
      residual: [16, 16],
      skip: [16, 16],
      bias: [16],
    },
    output: [batch, 16, 1, 12],
    build: (ops, p) => {
      const z = tf.add(tf.relu(ops.conv1x1(p.x!, p.skip!, p.bias!)), p.time!);
      const dilated = (kernel: Tensor) => ops.dilatedConv(z, kernel, p.bias!, 2, false);
      const y = ops.gate(dilated(p.first!), dilated(p.second!));
      const h = tf.mul(tf.add(z, ops.conv1x1(y, p.residual!, p.bias!)), Math.SQRT1_2);
      return tf.add(tf.relu(h), ops.conv1x1(y, p.skip!, p.bias!));
    },
  });

cases.push({
  name: 'gate',
  parameters: { x: [2, 3, 3, 5], y: [2, 3, 3, 5] },
  output: [2, 3, 3, 5],
  build: (ops, p) => ops.gate(p.x!, p.y!),
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

for (const [channels, height, width] of [
  [6, 3, 5],
  [32, 1, 16],
  [48, 1, 12],
] as const)
  cases.push({
    name: `layerNorm of ${channels} channels, ${height} x ${width}`,
    parameters: { x: [2, channels, height, width], scale: [channels], bias: [channels] },
    output: [2, channels, height, width],
    build: (ops, p) => ops.layerNorm(tf.add(tf.mul(p.x!, 2), 3), p.scale!, p.bias!),
  });

for (const [hidden, locations] of [
  [24, 15],
  [96, 16],
  [96, 4112],
] as const) {
  const width = hidden % 16 === 0 ? 16 : 6;
  cases.push({
    name: `feedForward of ${hidden} hidden channels, ${locations} locations`,
    parameters: {
      x: [1, width, 1, locations],
      kernel: [hidden, width],
      bias: [hidden],
      second: [hidden, width],
      secondBias: [width],
    },
    output: [1, width, 1, locations],
    build: (ops, p) =>
      ops.feedForward(p.x!, { kernel: p.kernel!, bias: p.bias! }, { kernel: p.second!, bias: p.secondBias! }),
  });
}

cases.push({
  name: 'gelu between dense layers, and what it adds to, normalised',
  parameters: { x: [1, 32, 1, 16], first: [64, 32], second: [32, 64], scale: [32], bias: [32] },
  output: [1, 32, 1, 16],
  build: (ops, p) => {
    const hidden = ops.gelu(ops.conv1x1(ops.layerNorm(p.x!, p.scale!, p.bias!), p.first!));
    return ops.layerNorm(tf.add(ops.conv1x1(hidden, p.second!), p.x!), p.bias!, p.scale!);
  },
});

cases.push({
  name: 'gelu',
  parameters: { x: [3, 7] },
  output: [3, 7],
  build: (ops, p) => ops.gelu(tf.mul(p.x!, 5)),
});

cases.push({
  name: 'embed',
  parameters: { table: [11, 4] },
  integers: { rows: { shape: [2, 1, 1, 9], below: 11 } },
  output: [2, 1, 1, 9, 4],
  build: (ops, p, { rows }) => ops.embed(rows!, p.table!),
});

for (const [given, locations, channels] of [
  [15, 16, 32],
  [16, 16, 32],
  [7, 9, 3],
] as const)
  cases.push({
    name: `fromRows of ${given} rows to ${locations} locations`,
    parameters: { rows: [given, channels], kernel: [channels, channels] },
    output: [1, channels, 1, locations],
    build: (ops, p) => ops.conv1x1(ops.fromRows(p.rows!, locations), p.kernel!),
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

for (const channels of [1, 3])
  cases.push({
    name: `embedClasses of ${channels} channels, more classes than locations`,
    parameters: { table: [50, 4], projection: [channels, 4, 5] },
    integers: { classes: { shape: [2, channels, 3, 5], below: 50 } },
    output: [2, 5, 3, 5],
    build: (ops, p, { classes }) => ops.embedClasses(classes!, p.table!, p.projection!),
  });

cases.push({
  name: 'embedClasses of as many classes as audio has, in parts',
  parameters: { table: [65_536, 1], projection: [1, 1, 2] },
  integers: { classes: { shape: [1, 1, 1, 300], below: 65_536 } },
  output: [1, 2, 1, 300],
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

/** Up to 2^18 scores are worked on together: all sequences, one after another, and two heads at a time of one. */
for (const [what, [batch, length, locations, heads, channels]] of Object.entries({
  'all together': [3, 5, 16, 2, 6],
  'all together, in blocks': [2, 8, 16, 2, 32],
  'two at a time': [3, 180, 544, 4, 16],
  'one after another': [2, 250, 512, 3, 48],
  'some heads at a time': [1, 300, 304, 3, 48],
} satisfies Record<string, number[]>) as [string, [number, number, number, number, number]][]) {
  const shape = [1, channels, 1, locations];
  const parameters = { query: shape, key: shape, value: shape };
  const sequences = { batch, length, heads };
  for (const causal of [false, true])
    cases.push({
      name: `${causal ? 'causal ' : ''}sequenceAttention, ${what}`,
      parameters,
      output: shape,
      build: (ops, p) =>
        ops.sequenceAttention(tf.mul(p.query!, 3), p.key!, p.value!, { ...sequences, causal }),
    });
  cases.push({
    name: `sequenceAttention with dropout, ${what}`,
    parameters,
    integers: { mask: { shape: [batch, heads, length, length], below: 2, dtype: 'uint8' } },
    output: shape,
    build: (ops, p, { mask }) =>
      ops.sequenceAttention(tf.mul(p.query!, 3), p.key!, p.value!, {
        ...sequences,
        causal: true,
        dropout: { mask: mask!, keep: 0.7 },
      }),
  });
}

for (const [what, heads] of Object.entries({
  'heads of whole blocks': 2,
  'heads of parts of blocks': 8,
}))
  for (const dropped of [false, true])
    cases.push({
      name: `selfAttention of ${what}${dropped ? ', with dropout' : ''}, and what it adds to`,
      parameters: Object.fromEntries([
        ['x', [1, 32, 1, 32]],
        ...['query', 'key', 'value', 'out'].map((name) => [name, [32, 32]]),
      ]) as Record<string, number[]>,
      integers: { mask: { shape: [2, heads, 15, 15], below: 2, dtype: 'uint8' } },
      output: [1, 32, 1, 32],
      build: (ops, { x, query, key, value, out }, { mask }) => {
        const kernels = { query: query!, key: key!, value: value!, out: out! };
        const dropout = dropped ? { dropout: { mask: mask!, keep: 0.7 } } : {};
        const sequences = { batch: 2, length: 15, heads, causal: true, ...dropout };
        return tf.add(x!, ops.selfAttention(ops.gelu(x!), kernels, sequences));
      },
    });

for (const channels of [1, 3])
  cases.push({
    name: `logLikelihood of ${channels} channels`,
    parameters: { logits: [2, channels * 7, 3, 5], weight: [2, channels, 3, 5] },
    integers: { target: { shape: [2, channels, 3, 5], below: 7 } },
    output: [2],
    build: (ops, p, { target }) => ops.logLikelihood(tf.mul(p.logits!, 4), target!, p.weight!, 7),
  });

for (const [what, channels, [height, width], logitsOf] of [
  ['1 channel', 1, [3, 5], (_, p) => tf.mul(p.logits!, 4)],
  ['3 channels', 3, [3, 5], (_, p) => tf.mul(p.logits!, 4)],
  [
    '16 channels, as a convolution leaves them',
    16,
    [4, 8],
    (ops, p) => ops.conv1x1(p.x!, p.kernel!, p.bias!),
  ],
] satisfies [string, number, [number, number], (ops: Ops, p: Record<string, Tensor>) => Tensor][])
  cases.push({
    name: `stageLogLikelihood of ${what}`,
    parameters: {
      ...(channels < 16
        ? { logits: [2, channels * 7, height, width] }
        : { x: [2, 16, height, width], kernel: [channels * 7, 16], bias: [channels * 7] }),
      weight: [2, channels, height, width],
    },
    integers: {
      target: { shape: [2, channels, height, width], below: 3 },
      children: { shape: [2, 7], below: 3 },
    },
    output: [2],
    build: (ops, p, { target, children }) => {
      // Children 0 and 1 are within 0, and 2 alone is within 1.
      const parentOf = (child: Tensor) => tf.greater(child, 1);
      const within = tf.cast(parentOf(target!), 'int32');
      const stage = {
        target: target!,
        within,
        siblings: tf.sub(2, tf.cast(within, 'float32')),
        children: tf.cast(children!, 'float32'),
        parents: tf.cast(parentOf(children!), 'float32'),
      };
      return ops.stageLogLikelihood(logitsOf(ops, p), stage, p.weight!);
    },
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
