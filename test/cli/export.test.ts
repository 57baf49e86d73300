import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import * as ort from 'onnxruntime-node';
import { parse } from 'yaml';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';
import { ardm } from './ardm.js';
import { saveCheckpoint, tinyRun } from './tiny-checkpoint.js';

async function exporting(t: TestContext, home: string, ...args: string[]) {
  const process = new Command(t, 'cli', ['export', ...args], { cwd: home });
  const status = await process.exit();
  return { status, stdout: process.stdout, stderr: process.stderr };
}

const sha256Of = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const frontMatter = (card: string) => parse(/^---\n(.*?)\n---\n/s.exec(card)![1]!);

test('an exported file, moved elsewhere and without its run, samples and plans the same', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home);
  const elsewhere = path.join(home, 'elsewhere');
  mkdirSync(elsewhere);
  const results = async (at: string, run: string) => {
    const sampled = await ardm(t, at, 'sample', run, '-o', 'x.png', '--policy', 'planned', '--budget', '5');
    const planned = await ardm(t, at, 'plan', run);
    assert.deepEqual([sampled.status, planned.status], [0, 0], sampled.stderr + planned.stderr);
    return [sha256Of(path.join(at, 'x.png')), planned.stdout];
  };
  const before = await results(home, 'run');
  const { status, stdout, stderr } = await exporting(t, home, 'run', '-o', 'tiny.safetensors');
  assert.deepEqual([status, stdout, stderr], [0, 'tiny.safetensors\ntiny.md\n', '']);
  assert.deepEqual(readdirSync(home).toSorted().slice(-3), ['tiny.md', 'tiny.safetensors', 'x.png']);
  renameSync(path.join(home, 'tiny.safetensors'), path.join(elsewhere, 'moved.safetensors'));
  rmSync(path.join(home, 'run'), { recursive: true });
  assert.deepEqual(await results(elsewhere, 'moved.safetensors'), before);
  renameSync(path.join(home, 'images'), path.join(elsewhere, 'images'));
  assert.equal((await ardm(t, elsewhere, 'eval', 'moved.safetensors')).status, 0);
});

test('an ONNX file runs, of a run as of what was exported from it, and --json tells what was written', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home, 'text');
  const json = async (run: string, file: string) => {
    const { status, stdout, stderr } = await exporting(t, home, run, '-o', file, '--json');
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const model = await json('run', 'a.safetensors');
  const { sha256, bytes, ...result } = await json('run', 'b.onnx');
  assert.deepEqual(result, {
    ...{ path: path.join(home, 'b.onnx'), card: path.join(home, 'b.md'), step: 3 },
    ...{ checkpoint: path.join('run', 'checkpoints', 'step-00000003'), modelHash: model.modelHash },
  });
  const file = readFileSync(result.path);
  assert.deepEqual([sha256, bytes], [sha256Of(result.path), file.length]);
  const session = await ort.InferenceSession.create(file);
  const classes = new ort.Tensor('int32', new Int32Array(2 * 12).fill(28), [2, 1, 1, 12]);
  assert.deepEqual((await session.run({ classes })).outputs!.dims, [2, 28, 1, 12]);
  assert.equal((await json('a.safetensors', 'c.onnx')).sha256, sha256);
  assert.equal((await json('a.safetensors', 'c2.safetensors')).sha256, model.sha256);
});

test('the card tells what the model is and what its run found, for people and for a model hub', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home);
  const line = (event: object) => `${JSON.stringify({ time: '2026-01-01T00:00:00.000Z', ...event })}\n`;
  const evaluation = { event: 'evaluation', split: 'test', standardError: 0.01, examples: 12, seconds: 1 };
  writeFileSync(
    path.join(run.folder, 'events.1.jsonl'), // full
    line({ event: 'start', step: 0 }) +
      line({ ...evaluation, step: 3, bitsPerDim: 9 }) +
      line({ ...evaluation, step: 4, bitsPerDim: 9 }) +
      line({ event: 'start', step: 0 }) +
      line({ ...evaluation, step: 3, bitsPerDim: 4.25 }),
  );
  writeFileSync(
    path.join(run.folder, 'events.jsonl'),
    line({ ...evaluation, step: 6, bitsPerDim: 3 }) +
      '{"time":"2026-01-01T00:00:00.000Z","event":"evaluation","st',
  );
  const cardOf = async (...args: string[]) => {
    const { status, stderr } = await exporting(t, home, 'run', ...args);
    assert.equal(status, 0, stderr);
    return readFileSync(path.join(home, 'm.md'), 'utf8');
  };
  const card = await cardOf('-o', 'm.safetensors');
  const { 'model-index': index, ...fields } = frontMatter(card);
  assert.deepEqual(fields, {
    ...{ license: 'unknown', library_name: 'ardm', pipeline_tag: 'unconditional-image-generation' },
    tags: ['ardm', 'autoregressive-diffusion', 'density-estimation', 'lossless-compression', 'safetensors'],
  });
  const metrics = [{ name: 'NELBO, bits per dimension', type: 'nelbo', value: 4.25 }];
  const task = { type: 'unconditional-image-generation' };
  const dataset = { name: 'folder', type: 'folder', split: 'test' };
  assert.deepEqual(index, [{ name: 'tiny', results: [{ task, dataset, metrics }] }]);
  assert.match(card, /\| Test bound \| 4\.2500 ± 0\.0100 bits per dimension \(NELBO, 12 test examples\) \|/);
  assert.ok(card.includes(`\`${sha256Of(path.join(home, 'm.safetensors'))}\``));
  assert.match(card, /\| Training \| 3 steps of 4 examples;/);
  const [, config] = /```yaml\n(.*)```/s.exec(card)!;
  assert.deepEqual(parse(config!).model, run.config.model);

  await saveCheckpoint(run, 4);
  const later = await cardOf('-o', 'm.safetensors', '--force');
  assert.match(later, /\| Test bound \| not evaluated at this step \|/);
  assert.equal(frontMatter(later)['model-index'], undefined);
});

test('what can’t be done is refused before anything is written', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home);
  for (const name of ['there.safetensors', 'card.md', 'bad.safetensors'])
    writeFileSync(path.join(home, name), 'mine');
  const told: [args: string, status: number, line: RegExp][] = [
    ['run', 2, /required option '-o, --out <file>' not specified/],
    ['run -o m.bin', 2, /--out m\.bin: give a name that ends in \.safetensors .* or in \.onnx/],
    ['run -o safetensors', 2, /--out safetensors: give a name that ends in/],
    ['run -o there.safetensors', 2, /there\.safetensors is there already: .* with --force/],
    ['run -o card.onnx', 2, /card\.md is there already/],
    ['run -o missing/m.onnx', 1, /can't write missing\/m\.onnx: ENOENT/],
    ['nowhere -o m.onnx', 1, /nowhere: there is no checkpoint\. Name .*, or an exported model/],
    ['bad.safetensors -o m.onnx', 1, /bad\.safetensors: it ends after 4 bytes\. Copy it anew/],
  ];
  for (const [args, status, line] of told) {
    const result = await exporting(t, home, ...args.split(' '));
    assert.deepEqual([result.status, result.stdout], [status, ''], args);
    assert.match(result.stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
  const names = ['bad.safetensors', 'card.md', 'images', 'run', 'there.safetensors'];
  assert.deepEqual(readdirSync(home).toSorted(), names);
  assert.equal(readFileSync(path.join(home, 'there.safetensors'), 'utf8'), 'mine');
});

test('an exported model has no checkpoints to list', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home);
  await exporting(t, home, 'run', '-o', 'm.safetensors');
  for (const verb of ['list', 'verify']) {
    const command = new Command(t, 'cli', ['checkpoint', verb, 'm.safetensors'], { cwd: home });
    assert.equal(await command.exit(), 1);
    assert.match(command.stderr, /^ardm: m\.safetensors is a file, and no run: .*\n$/);
  }
});
