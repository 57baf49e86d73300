import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { decode } from 'fast-png';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { vocabularies } from '../../shared/data/vocabulary.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { Sampler } from '../../shared/model/sample.js';
import { encodeGrid } from '../../shared/render/grid.js';
import { decodeWav } from '../../shared/render/wav.js';
import { temporaryFolder } from '../data/temporary.js';
import { ardm } from './ardm.js';
import { tinyRun, type TinyRun } from './tiny-checkpoint.js';

/** The samples of a run's seed, from the library. */
async function direct({ description, config, ema }: TinyRun, count: number, policy: Int32Array) {
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const sampler = await Sampler.create(engine, description, config.model, 2);
  return sampler.run({ parameters: ema, seed: 7, first: 0, count, policy });
}

test('texts are numbered in a text file, and a film shows them fill in', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, 'text');
  const { status, stdout, stderr } = await ardm(t, home, 'sample', 'run', '--num', '3', '--frames', '4');
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'tiny-samples.txt\ntiny-samples-frames.txt\n');
  const samples = await direct(run, 3, naivePolicy(12, 6));
  const { decode, show } = vocabularies.text8;
  const classes = (i: number) => samples.subarray(12 * i, 12 * (i + 1));
  const texts = [0, 1, 2].map((i) => Buffer.from(decode(classes(i))).toString());
  assert.equal(
    readFileSync(path.join(home, 'tiny-samples.txt'), 'utf8'),
    texts.map((text, i) => `--- ${i + 1} of 3 ---\n${text}\n`).join('\n'),
  );
  const films = readFileSync(path.join(home, 'tiny-samples-frames.txt'), 'utf8').split('\n\n');
  assert.equal(films.length, 3);
  films.forEach((film, i) => {
    const lines = film.trimEnd().split('\n');
    const unknown = lines.map((line) => line.slice(3).split('_').length - 1);
    assert.deepEqual(unknown, [12, 8, 4, 0]);
    assert.equal(lines[3], `4  ${show(classes(i))}`);
  });
});

test('clips are WAV files beside a PNG of their spectrograms', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, 'audio');
  const args = ['run', '--num', '2', '--frames', '3', '-o', 'a.png', '--json'];
  const { status, stdout, stderr } = await ardm(t, home, 'sample', ...args);
  assert.equal(status, 0, stderr);
  const { files, calls } = JSON.parse(stdout);
  const names = ['a.png', 'a-0.wav', 'a-1.wav', 'a-frames.png'];
  assert.deepEqual(
    files,
    names.map((name) => path.join(home, name)),
  );
  assert.equal(calls, 12, 'six in each of two stages');
  const samples = await direct(run, 2, naivePolicy(64, 6, 2));
  [0, 1].forEach((i) => {
    const name = path.join(home, `a-${i}.wav`);
    const clip = decodeWav(readFileSync(name), name);
    assert.equal(clip.sampleRate, 1000);
    assert.deepEqual(
      [...clip.samples],
      [...samples.subarray(64 * i, 64 * (i + 1))].map((x) => x - 32_768),
    );
  });
  const picture = decode(readFileSync(path.join(home, 'a.png')));
  const film = decode(readFileSync(path.join(home, 'a-frames.png')));
  assert.equal(film.width, picture.width);
  assert.ok(film.height > 2.5 * picture.height, 'three states of each clip');
});

test('a film of an upscale model goes through its stages', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, 'upscale');
  const args = ['run', '--num', '1', '--budget', '1', '--frames', '3'];
  const { status, stderr } = await ardm(t, home, 'sample', ...args);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^1 samples? by step 3 of tiny, 2 calls each/);
  const sample = await direct(run, 1, naivePolicy(16, 1, 2));
  const coarse = sample.map((x) => x - (x % 16));
  const grey = new Uint8Array(16).fill(128);
  const expected = encodeGrid([...grey, ...coarse, ...sample], [4, 4, 1], 256, 3);
  assert.deepEqual(
    new Uint8Array(readFileSync(path.join(home, 'tiny-samples-frames.png'))),
    new Uint8Array(expected),
  );
});

for (const kind of ['arm', 'permuted'] as const)
  test(`a ${kind} model generates one variable a call, and takes no other policy`, async (t) => {
    const home = await temporaryFolder(t);
    const run = await tinyRun(home, kind);
    const { status, stderr } = await ardm(t, home, 'sample', 'run', '--num', '2');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /12 calls each/);
    const samples = await direct(run, 2, naivePolicy(12, 12));
    const first = Buffer.from(vocabularies.text8.decode(samples.subarray(0, 12))).toString();
    const text = readFileSync(path.join(home, 'tiny-samples.txt'), 'utf8');
    assert.ok(text.startsWith(`--- 1 of 2 ---\n${first}\n`));
    writeFileSync(path.join(home, 'p.json'), '[0, 6]');
    for (const [given, told] of [
      [['--budget', '4'], 'a budget of 4'],
      [['--policy', 'p.json'], 'the policy p.json'],
    ] as const) {
      const refused = await ardm(t, home, 'sample', 'run', ...given);
      assert.equal(refused.status, 2);
      const line = `ardm: ${told} does not fit: this model generates one variable a network call, always 12 in all\n`;
      assert.equal(refused.stderr, line);
    }
  });

test('a policy file says at which steps the network is called; all steps give what no budget gives', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, 'text');
  const textOf = async (...args: string[]) => {
    const { status, stderr } = await ardm(t, home, 'sample', 'run', '--num', '2', '-o', 'x.txt', ...args);
    assert.equal(status, 0, stderr);
    return readFileSync(path.join(home, 'x.txt'), 'utf8');
  };
  const all = Array.from({ length: 12 }, (_, t) => t);
  writeFileSync(path.join(home, 'all.json'), JSON.stringify(all));
  writeFileSync(path.join(home, 'odd.json'), '[0, 1, 7]');
  const full = await textOf('--budget', '12');
  assert.equal(await textOf('--policy', 'all.json'), full);
  const odd = await textOf('--policy', 'odd.json');
  const samples = await direct(run, 2, Int32Array.of(0, 1, 7));
  const first = Buffer.from(vocabularies.text8.decode(samples.subarray(0, 12))).toString();
  assert.ok(odd.startsWith(`--- 1 of 2 ---\n${first}\n`));
  assert.notEqual(await textOf('--budget', '1'), full);
  assert.equal(await textOf('--budget', '12', '--policy', 'planned'), full);
});

test('a planned policy goes by the loss components; without them there is none, and only it needs them', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, 'text');
  const planned = await ardm(t, home, 'sample', 'run', '--num', '1', '--budget', '3', '--policy', 'planned');
  assert.equal(planned.status, 0, planned.stderr);
  assert.match(planned.stderr, /3 calls each/);
  const checkpoint = path.join(run.folder, 'checkpoints', 'step-00000003');
  rmSync(path.join(checkpoint, 'components.safetensors'));
  assert.equal((await ardm(t, home, 'sample', 'run', '--num', '1')).status, 0);
  const { status, stderr } = await ardm(t, home, 'sample', 'run', '--budget', '3', '--policy', 'planned');
  assert.equal(status, 1);
  assert.match(stderr, /^ardm: .*components\.safetensors.*\n$/);
});

test('a policy that can’t be followed ends in one line, exit code 2', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home, 'upscale');
  const told: [text: string, line: RegExp][] = [
    ['[0, 5, 5, 16]', /p\.json: The policy's call 3 is at step 5, not after call 2 at step 5: give steps/],
    ['[0, 9, 4, 16]', /p\.json: The policy's call 3 is at step 4, not after call 2 at step 9/],
    ['[1, 5, 16]', /p\.json: The policy makes no call at step 0/],
    ['[0, 5]', /p\.json: The policy makes no call at step 16, the first of stage 2 of 2/],
    ['[0, 16, 32]', /p\.json: The policy's call 3 is at step 32, but steps are whole numbers from 0 to 31/],
    ['[0, "a"]', /p\.json: The policy's call 2 is at step a, but steps are whole numbers/],
    ['[]', /p\.json: The policy makes no call at step 0/],
    ['{"steps": [0]}', /the policy p\.json is no JSON list of steps/],
    ['0, 1', /the policy p\.json is no JSON list of steps, such as/],
  ];
  for (const [text, line] of told) {
    writeFileSync(path.join(home, 'p.json'), text);
    const { status, stdout, stderr } = await ardm(t, home, 'sample', 'run', '--policy', 'p.json');
    assert.deepEqual([status, stdout], [2, ''], text);
    assert.match(stderr, new RegExp(`^ardm: ${line.source}.*\n$`), text);
  }
  const absent = await ardm(t, home, 'sample', 'run', '--policy', 'plan');
  assert.equal(absent.status, 2);
  assert.match(absent.stderr, /^ardm: the policy plan can't be read: ENOENT.*\n$/);
  writeFileSync(path.join(home, 'p.json'), '[0, 16]');
  const both = await ardm(t, home, 'sample', 'run', '--policy', 'p.json', '--budget', '2');
  assert.match(both.stderr, /^ardm: the policy p\.json says itself which .*: leave the budget of 2 out\n$/);
  assert.ok(!existsSync(path.join(home, 'tiny-samples.png')));
});
