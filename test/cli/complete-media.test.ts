import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { decode } from 'fast-png';
import { classesOfSamples, SILENCE } from '../../shared/data/clips.js';
import { vocabularies } from '../../shared/data/vocabulary.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { policyOfSpan } from '../../shared/method/span.js';
import { Completer } from '../../shared/model/complete.js';
import { decodeWav, encodeWav } from '../../shared/render/wav.js';
import { temporaryFolder } from '../data/temporary.js';
import { ardm } from './ardm.js';
import { tinyRun, type TinyRun } from './tiny-checkpoint.js';

async function prepare(t: TestContext, kind: Parameters<typeof tinyRun>[1]) {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, kind);
  const write = (name: string, content: string | Uint8Array) => writeFileSync(path.join(home, name), content);
  const complete = (...args: string[]) => ardm(t, home, 'complete', 'run', '--threads', '1', ...args);
  /** The texts of one input's two completions. */
  const textsOf = async (...args: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await complete(...args, '--num', '2', '--json');
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout).inputs[0].completions.map(({ text }: { text: string }) => text);
  };
  return { home, run, write, complete, textsOf };
}

/** Two completions of a text of text8 from the library, as long as its mask. */
async function direct({ description, config, ema }: TinyRun, text: string, mask: number[]) {
  const { decode, encode } = vocabularies.text8;
  const examples = new Uint8Array(12);
  examples.set(encode(Buffer.from(text), 'text'));
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const completer = await Completer.create(engine, description, config.model, 2);
  const known = mask.filter((is) => is === 1).length;
  const isAnyOrder = config.model.kind === 'oa';
  const length = mask.length - known;
  const policy = naivePolicy(length, isAnyOrder ? Math.min(6, length) : length).map((step) => known + step);
  const call = { parameters: ema, seed: 7, examples, mask: Uint8Array.from(mask), num: 2, policy };
  const completed = await completer.run(call);
  return [0, 12].map((at) =>
    Buffer.from(decode(completed.examples.subarray(at, at + mask.length))).toString(),
  );
}

test('the gaps of a text are filled in, and what is beyond its end is left out', async (t) => {
  const { home, run, write, textsOf } = await prepare(t, 'text');
  write('gaps.txt', 'ab__e f_\n');
  const expected = await direct(run, 'ab  e f ', [1, 1, 0, 0, 1, 1, 1, 0]);
  assert.deepEqual(await textsOf('gaps.txt'), expected);
  const file = readFileSync(path.join(home, 'tiny-completions.txt'), 'utf8');
  assert.match(file, /^--- gaps\.txt ---\nab__e f_\n\n--- completion 1 of 2, -\d+\.\d\d bits ---\nab/);
  assert.ok(file.endsWith(` bits ---\n${expected[1]}\n`));
  write('other.txt', 'ab░░e f░');
  assert.deepEqual(await textsOf('other.txt', '--gap', '░'), expected);
  write('whole.txt', 'abcde fg');
  assert.deepEqual(await textsOf('whole.txt', '--unknown', '2:4', '--unknown', '7:'), expected);
});

test('--unknown may go on after the end of a text, up to the length of the model’s', async (t) => {
  const { run, write, complete, textsOf } = await prepare(t, 'text');
  write('a.txt', 'abcde');
  assert.deepEqual(
    await textsOf('a.txt', '--unknown', '5:9'),
    await direct(run, 'abcde', [1, 1, 1, 1, 1, 0, 0, 0, 0]),
  );
  const { status, stderr } = await complete('a.txt', '--unknown', '5:13');
  assert.equal(status, 2);
  assert.match(stderr, /^ardm: --unknown 5:13 is no range: give characters as begin:end, from 0 to 12, /);
});

test('a text that does not fit is refused, with sizes or places', async (t) => {
  const { home, write, complete } = await prepare(t, 'text');
  write('long.txt', 'abc_'.repeat(4));
  write('upper.txt', 'ab_D');
  write('whole.txt', 'abcd');
  write('newline.txt', '\n');
  const there = readdirSync(home);
  for (const [args, line] of [
    ['long.txt', /long\.txt has 16 characters, but the model's texts have 12: cut it/],
    ['upper.txt', /upper\.txt has byte 0x44 \("D"\) at offset 3, and the vocabulary text8 has only a to z/],
    ['whole.txt', /nothing is unknown in whole\.txt: mark gaps by _ in text8 or by what --gap says/],
    ['newline.txt', /newline\.txt is empty/],
    ['whole.txt --mask m.png', /--mask is for images/],
    ['whole.txt --gap ab', /'--gap <char>' argument 'ab' is invalid\. It must be one character/],
    ['long.txt --known 0.5 --gap x', /long\.txt has 16 characters/],
  ] as const) {
    const { status, stdout, stderr } = await complete(...args.split(' '));
    assert.ok(status === 1 || status === 2, args);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
  assert.deepEqual(readdirSync(home), there);
});

test('a model left to right goes on after a beginning, and refuses other gaps', async (t) => {
  const { run, write, complete, textsOf } = await prepare(t, 'arm');
  write('begin.txt', 'abcd____');
  const expected = await direct(run, 'abcd    ', [1, 1, 1, 1, 0, 0, 0, 0]);
  assert.deepEqual(await textsOf('begin.txt'), expected);
  write('middle.txt', 'ab__efgh');
  const { status, stderr } = await complete('middle.txt');
  assert.equal(status, 2);
  assert.match(stderr, /^ardm: this model generates from left to right .*: 2 is unknown, but 4 is known/);
  const budget = await complete('begin.txt', '--budget', '2');
  assert.match(budget.stderr, /^ardm: a budget of 2 does not fit: .* one variable a network call, always 4/);
});

test('the hole of a clip is filled in, and the rest of its samples stay as they are', async (t) => {
  const { home, run, write, complete } = await prepare(t, 'audio');
  const clip = Int16Array.from({ length: 50 }, (_, i) => 600 * i - 9000);
  write('clip.wav', encodeWav(clip, 1000));
  const args = [
    'clip.wav',
    '--unknown',
    '0.03s:0.05s',
    '--num',
    '2',
    '--frames',
    '3',
    '-o',
    'a.png',
    '--json',
  ];
  const { status, stdout, stderr } = await complete(...args);
  assert.equal(status, 0, stderr);
  const { files, unknown, calls, inputs } = JSON.parse(stdout);
  const names = ['a.png', 'a-0.wav', 'a-1.wav', 'a-frames.png'];
  assert.deepEqual(
    files,
    names.map((name) => path.join(home, name)),
  );
  assert.deepEqual([unknown, calls], [20, 12], 'six calls in each of two stages');
  // What is beyond the end of the clip is silence, as in training, and known.
  const { description, config, ema } = run;
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const completer = await Completer.create(engine, description, config.model, 2);
  const examples = new Uint16Array(64).fill(SILENCE);
  examples.set(classesOfSamples(clip));
  const mask = new Uint8Array(64).fill(1).fill(0, 30, 50);
  const policy = policyOfSpan(naivePolicy(20, 6, 2), 64, { begin: 44, end: 64 });
  const { logLikelihoods } = await completer.run({
    parameters: ema,
    seed: 7,
    examples,
    mask,
    num: 2,
    policy,
  });
  assert.deepEqual(
    inputs[0].completions.map((of: { logLikelihood: number }) => of.logLikelihood),
    [...logLikelihoods],
  );
  const made = names.slice(1, 3).map((name) => decodeWav(readFileSync(path.join(home, name)), name));
  for (const { sampleRate, samples } of made) {
    assert.deepEqual([sampleRate, samples.length], [1000, 50]);
    assert.deepEqual(samples.slice(0, 30), clip.slice(0, 30));
  }
  assert.notDeepEqual(made[0]!.samples, made[1]!.samples);
  const [picture, film] = ['a.png', 'a-frames.png'].map((name) =>
    decode(readFileSync(path.join(home, name))),
  );
  assert.ok(
    film!.height > 1.9 * picture!.height,
    'six states, and before that the input and two completions',
  );
  const samples = await complete('clip.wav', '--unknown', '30:50', '--num', '2', '-o', 'b.png', '--json');
  assert.deepEqual(JSON.parse(samples.stdout).inputs, inputs);
});

test('a clip that does not fit is refused', async (t) => {
  const { home, write, complete } = await prepare(t, 'audio');
  write('fast.wav', encodeWav(new Int16Array(50), 2000));
  write('long.wav', encodeWav(new Int16Array(65), 1000));
  const stereo = Buffer.from(encodeWav(new Int16Array(50), 1000));
  stereo.writeUInt16LE(2, 22);
  write('stereo.wav', stereo);
  write('clip.wav', encodeWav(new Int16Array(50), 1000));
  const there = readdirSync(home);
  for (const [args, line] of [
    [
      'fast.wav --known 0.5',
      /fast\.wav has 2000 samples a second, and the model's clips have 1000: resample it/,
    ],
    ['long.wav --known 0.5', /long\.wav has 65 samples, but the model's clips have 64: cut it/],
    ['stereo.wav --known 0.5', /stereo\.wav has 2 channels: mix it down to one/],
    ['clip.wav', /nothing is unknown in clip\.wav: say what is with --known 0\.5 or --unknown 0\.2s:0\.5s/],
    [
      'clip.wav --unknown 0.04s:0.06s',
      /is no range: give samples .*, from 0 to 50, .* seconds, .* up to 0\.05s/,
    ],
  ] as const) {
    const { status, stdout, stderr } = await complete(...args.split(' '));
    assert.ok(status === 1 || status === 2, args);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
  assert.deepEqual(readdirSync(home), there);
});
