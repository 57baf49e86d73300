import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { RunEvent } from '../../../coordinator/events.js';
import { TensorBoard } from '../../../coordinator/tensorboard/tensorboard.js';
import { encodeHeader } from '../../../shared/checkpoint/safetensors.js';
import { FILES } from '../../../shared/checkpoint/state.js';
import { renderSamples, type SampleKind } from '../../../shared/render/samples.js';
import { temporaryFolder } from '../../data/temporary.js';
import { madeUpRun, stepEvent } from '../made-up-run.js';
import { hasTensorBoard, readByTensorBoard } from './real-tensorboard.js';

/** What a process tells at its start from the checkpoint of a step. */
const start = (step: number): RunEvent => ({
  ...(madeUpRun()[0]![0] as RunEvent & { event: 'start' }),
  step,
});

/** Tells a process's events, a second a step, and ends it. */
async function tell(folder: string, begin: number, ...events: readonly RunEvent[]): Promise<void> {
  const board = new TensorBoard(folder, 'name: x\ntraining:\n  steps: 10');
  for (const event of [start(0), ...events]) board.observe(event, begin + 1000 * event.step);
  await board.close();
}

const evaluation = (step: number, bitsPerDim: number): RunEvent => ({
  ...{ event: 'evaluation', step, split: 'test', bitsPerDim, standardError: 0.5, examples: 10, seconds: 1 },
});

/** Files of a drawing of samples, and the event that tells of them. */
function drawn(folder: string, step: number, kind: SampleKind, classes: Uint8Array | Uint16Array): RunEvent {
  const files = renderSamples(classes, kind);
  const stem = path.join(folder, `step-${step}`);
  for (const { suffix, bytes } of files) writeFileSync(stem + suffix, bytes);
  return { event: 'samples', step, path: stem + files[0]!.suffix, count: 2, budget: 4, seconds: 1 };
}

test('TensorBoard reads the curves of training and of the test split under one tag', async (t) => {
  if (!hasTensorBoard(t)) return;
  const folder = await temporaryFolder(t);
  await tell(folder, 1e12, stepEvent(1), stepEvent(2), evaluation(2, 1.25), stepEvent(2 ** 32 - 1));
  const [train, test] = readByTensorBoard(path.join(folder, 'train'), path.join(folder, 'test'));
  assert.deepEqual(train!.scalars.bits_per_dim!.slice(0, 2), [
    [1e9 + 1, 1, 3],
    [1e9 + 2, 2, 1.5],
  ]);
  assert.equal(train!.scalars.bits_per_dim![2]![1], 2 ** 32 - 1);
  assert.deepEqual(test!.scalars.bits_per_dim, [[1e9 + 2, 2, 1.25]]);
  assert.deepEqual(test!.scalars.bits_per_dim_standard_error, [[1e9 + 2, 2, 0.5]]);
  const first = (tag: string) => train!.scalars[tag]![0]![2];
  assert.equal(first('optimizer/gradient_norm'), 0.5);
  assert.equal(first('optimizer/learning_rate'), Math.fround(1e-4));
  assert.equal(first('progress/examples_per_second'), 64);
  assert.equal(first('seconds/upload'), 0.25);
  assert.deepEqual(train!.texts.config, [[1, '    name: x\n    training:\n      steps: 10']]);
});

test('a resumed run has no step twice, and loses none that is not done again', async (t) => {
  if (!hasTensorBoard(t)) return;
  const folder = await temporaryFolder(t);
  const steps = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) => stepEvent(first + i));
  await tell(folder, 1e12, ...steps(1, 4), evaluation(4, 1.5), ...steps(5, 6), evaluation(6, 1.4));
  // Killed at step 6, resumed from step 4, where the evaluation comes due again.
  await tell(folder, 2e12, start(4), evaluation(4, 1.5), ...steps(5, 7));
  const [train, test] = readByTensorBoard(path.join(folder, 'train'), path.join(folder, 'test'));
  const told = train!.scalars.bits_per_dim!.map(([time, step]) => [Math.floor(time / 1e9), step]);
  assert.deepEqual(told, [...[1, 2, 3, 4].map((step) => [1, step]), ...[5, 6, 7].map((step) => [2, step])]);
  assert.deepEqual(test!.scalars.bits_per_dim, [[2e9 + 4, 4, 1.5]]);
});

test('a run that goes on from what its workers hold keeps their steps; one that begins anew keeps none', async (t) => {
  if (!hasTensorBoard(t)) return;
  const folder = await temporaryFolder(t);
  const [train, test] = [path.join(folder, 'train'), path.join(folder, 'test')];
  const stepsOf = (run: string) => readByTensorBoard(run)[0]!.scalars.bits_per_dim!.map(([, step]) => step);
  await tell(folder, 1e12, stepEvent(1), stepEvent(2), evaluation(2, 1.5));
  await tell(folder, 2e12, { event: 'recovered', step: 2, lost: 0 }, stepEvent(3));
  assert.deepEqual(stepsOf(train), [1, 2, 3]);
  await tell(folder, 3e12, stepEvent(1), evaluation(3, 2));
  assert.deepEqual(stepsOf(train), [1]);
  assert.deepEqual(stepsOf(test), [3]);
});

test('samples are pictures to look at, texts to read and clips to play', async (t) => {
  if (!hasTensorBoard(t)) return;
  const home = await temporaryFolder(t);
  const common = { numContext: 0, numClasses: 256 };
  const image = { ...common, medium: { kind: 'image' }, shape: [4, 3, 3] } as const;
  const text = { ...common, medium: { kind: 'text', vocabulary: 'bytes' }, shape: [5, 1, 1] } as const;
  const audio = { kind: 'audio', sampleRate: 8000 } as const;
  const clip = { numContext: 0, numClasses: 65_536, medium: audio, shape: [400, 1, 1] } as const;
  const events = [
    drawn(home, 1, image, new Uint8Array(2 * 36).fill(200)),
    drawn(home, 2, text, Buffer.from('<b>a\nzwölf')),
    drawn(home, 3, clip, new Uint16Array(2 * 400).fill(40_000)),
  ];
  const folder = path.join(home, 'tensorboard');
  await tell(folder, 1e12, ...events);
  const [found] = readByTensorBoard(path.join(folder, 'test'));
  const [grid, spectrograms] = found!.images.samples!;
  // Enlarged to 96 pixels at most, two beside each other.
  assert.deepEqual(grid!.slice(0, 3), [1, 2 * (24 * 3 + 2) + 2, 24 * 4 + 4]);
  assert.equal(spectrograms![0], 3);
  assert.deepEqual(found!.texts.samples, [
    [
      2,
      ['--- 1 of 2 ---', '<b>a', '', '', '--- 2 of 2 ---', 'zwöl', '']
        .map((line) => `    ${line}`)
        .join('\n'),
    ],
  ]);
  assert.deepEqual(Object.keys(found!.audio), ['samples/0', 'samples/1']);
  const [step, rate, length, type, wav] = found!.audio['samples/1']![0]!;
  assert.deepEqual([step, rate, length, type], [3, 8000, 400, 'audio/wav']);
  assert.equal(Buffer.from(wav, 'hex').toString('latin1', 0, 4), 'RIFF');
});

test('each checkpoint shows how its parameters and the mean gradient are spread', async (t) => {
  if (!hasTensorBoard(t)) return;
  const home = await temporaryFolder(t);
  const checkpoint = path.join(home, 'step-00000005');
  mkdirSync(checkpoint);
  const tensors = [
    { name: 'conv/kernel', dtype: 'F32', shape: [5] },
    { name: 'conv/bias', dtype: 'F32', shape: [2] },
  ];
  const numbers = Float32Array.of(-1, 0, 0.5, NaN, 2, 7, 7);
  for (const [file, factor] of [
    [FILES.parameters, 1],
    [FILES.firstMoment, 10],
  ] as const) {
    const data = numbers.map((value) => value * factor);
    writeFileSync(
      path.join(checkpoint, file),
      Buffer.concat([encodeHeader(tensors, {}), new Uint8Array(data.buffer)]),
    );
  }
  const event: RunEvent = {
    ...{ event: 'checkpoint', step: 5, path: checkpoint, sha256: '', bytes: 1, seconds: 1 },
    ...{ snapshotSeconds: 0, warnings: [] },
  };
  const folder = path.join(home, 'tensorboard');
  await tell(folder, 1e12, event);
  const [found] = readByTensorBoard(path.join(folder, 'checkpoints'));
  assert.deepEqual(Object.keys(found!.histograms), [
    ...['parameters/conv/kernel', 'parameters/conv/bias'],
    ...['mean_gradient/conv/kernel', 'mean_gradient/conv/bias'],
  ]);
  const [step, kernel] = found!.histograms['parameters/conv/kernel']![0]!;
  assert.equal(step, 5);
  assert.deepEqual(
    [kernel.min, kernel.max, kernel.num, kernel.sum, kernel.sum_squares],
    [-1, 2, 4, 1.5, 5.25],
  );
  // Thirty buckets of 0.1.
  const filled = kernel.bucket.flatMap((count, i) => (count > 0 ? [[i, count]] : []));
  assert.deepEqual(filled, [
    [0, 1],
    [10, 1],
    [15, 1],
    [29, 1],
  ]);
  const [, bias] = found!.histograms['mean_gradient/conv/bias']![0]!;
  assert.deepEqual([bias.bucket_limit, bias.bucket], [[70], [2]]);
});

test('what cannot be written is told once, and training hears nothing of it', async (t) => {
  const home = await temporaryFolder(t);
  const folder = path.join(home, 'tensorboard');
  writeFileSync(folder, '');
  const said = t.mock.method(process.stderr, 'write', () => true);
  await tell(folder, 1e12, stepEvent(1), evaluation(1, 2), stepEvent(2));
  const lines = said.mock.calls.map(({ arguments: [line] }) => String(line));
  said.mock.restore();
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /tensorboard: .*(ENOTDIR|EEXIST).*the run goes on/);
});

test('a checkpoint that is gone by then costs its histograms', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'tensorboard');
  const event: RunEvent = {
    ...{ event: 'checkpoint', step: 5, path: '/nowhere/step-5', sha256: '', bytes: 1, seconds: 1 },
    ...{ snapshotSeconds: 0, warnings: [] },
  };
  await tell(folder, 1e12, event, stepEvent(6));
});
