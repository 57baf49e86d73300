import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Command } from 'commander';
import { register } from '../../cli/checkpoint.js';
import { FILES } from '../../shared/checkpoint/state.js';
import { UserError } from '../../shared/errors.js';
import { randomState, stepPath, tensorFiles, write } from '../checkpoint/made-up.js';
import { temporaryFolder } from '../data/temporary.js';

/** Runs `ardm checkpoint ...` in this process; returns what it printed and its exit code. */
async function run(t: TestContext, ...args: string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const log = t.mock.method(console, 'log', (line: string) => lines.push(line));
  const write = t.mock.method(process.stderr, 'write', (text: string) => errors.push(text) > 0);
  const before = process.exitCode;
  try {
    const program = new Command();
    register(program);
    await program.parseAsync(['checkpoint', ...args], { from: 'user' });
    return { output: lines.join('\n'), errors: errors.join(''), exitCode: process.exitCode ?? 0 };
  } finally {
    log.mock.restore();
    write.mock.restore();
    process.exitCode = before;
  }
}

async function runWith(t: TestContext, ...steps: number[]) {
  const runFolder = await temporaryFolder(t);
  const folder = path.join(runFolder, 'checkpoints');
  for (const step of steps) await write(folder, step);
  return { runFolder, folder };
}

test('list tells step, hash, size, time and place of each, oldest first', async (t) => {
  const { runFolder, folder } = await runWith(t, 5, 400);
  const { output, exitCode, errors } = await run(t, 'list', runFolder, '--json');
  const listed = JSON.parse(output) as Record<string, unknown>[];
  assert.deepEqual([exitCode, errors], [0, '']);
  for (const [i, step] of [5, 400].entries()) {
    const { time, sha256, bytes, ...rest } = listed[i]!;
    assert.deepEqual(rest, { step, path: stepPath(folder, step), latest: step === 400 });
    assert.ok(Math.abs(Date.parse(time as string) - Date.now()) < 60_000);
    const files = tensorFiles.map((name) => readFileSync(path.join(stepPath(folder, step), name)));
    assert.equal(
      bytes,
      files.reduce((sum, { length }) => sum + length, 0),
    );
    const data = files[0]!.subarray(files[0]!.length - randomState(step).parameters.byteLength);
    assert.equal(sha256, createHash('sha256').update(data).digest('hex'));
  }
  assert.equal(listed.length, 2);
});

test('list is readable, and marks the latest', async (t) => {
  const { runFolder, folder } = await runWith(t, 5, 400);
  const { output } = await run(t, 'list', runFolder);
  const lines = output.split('\n');
  assert.match(lines[0]!, /^ {2}step 5 {2}0\.0 MB {2}\d{4}-\d\d-\d\dT.*Z {2}.*step-00000005$/);
  assert.match(lines[1]!, /^ {4}parameters [0-9a-f]{64}$/);
  assert.ok(lines[2]!.startsWith('* step 400') && lines[2]!.endsWith(stepPath(folder, 400)));
});

test('list tells a checkpoint without a good manifest on stderr, and lists the others', async (t) => {
  const { runFolder, folder } = await runWith(t, 5, 400);
  rmSync(path.join(stepPath(folder, 400), 'manifest.json'));
  const { output, errors, exitCode } = await run(t, 'list', runFolder, '--json');
  assert.deepEqual(
    JSON.parse(output).map(({ step }: { step: number }) => step),
    [5],
  );
  assert.equal(errors, `${stepPath(folder, 400)}: manifest.json is missing\n`);
  assert.equal(exitCode, 0);
});

test('verify passes good checkpoints', async (t) => {
  const { runFolder, folder } = await runWith(t, 5, 400);
  for (const at of [runFolder, folder]) {
    const { output, exitCode } = await run(t, 'verify', at);
    assert.equal(output, `${stepPath(folder, 5)}: good\n${stepPath(folder, 400)}: good`);
    assert.equal(exitCode, 0);
  }
});

test('verify fails where one is damaged, and says what is wrong', async (t) => {
  const { runFolder, folder } = await runWith(t, 5, 400);
  truncateSync(path.join(stepPath(folder, 5), FILES.secondMoment), 9);
  const { output, exitCode } = await run(t, 'verify', runFolder, '--json');
  const [damaged, good] = JSON.parse(output);
  assert.equal(exitCode, 1);
  assert.deepEqual(good, { path: stepPath(folder, 400), good: true });
  assert.deepEqual([damaged.path, damaged.good], [stepPath(folder, 5), false]);
  assert.match(damaged.reason, /^second-moment\.safetensors is truncated: 9 bytes instead of \d+$/);
  assert.equal((await run(t, 'verify', stepPath(folder, 400))).exitCode, 0);
  const single = await run(t, 'verify', stepPath(folder, 5));
  assert.equal(single.exitCode, 1);
  assert.match(single.output, /step-00000005: second-moment\.safetensors is truncated/);
});

test('a run without checkpoints lists none, and does not verify', async (t) => {
  const { runFolder, folder } = await runWith(t);
  mkdirSync(folder);
  assert.deepEqual(await run(t, 'list', runFolder, '--json'), { output: '[]', errors: '', exitCode: 0 });
  const { output, exitCode } = await run(t, 'verify', runFolder);
  assert.deepEqual([output, exitCode], [`${runFolder} has no checkpoints.`, 1]);
});

test('a folder that is not there is told by its path', async (t) => {
  const nowhere = path.join(await temporaryFolder(t), 'nowhere');
  for (const command of ['list', 'verify'])
    await assert.rejects(
      run(t, command, nowhere),
      (error) => error instanceof UserError && error.message.startsWith(`there is no folder ${nowhere}`),
    );
});
