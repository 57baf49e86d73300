import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { openCheckpoint } from '../../shared/checkpoint/open.js';
import { FILES } from '../../shared/checkpoint/state.js';
import { UserError } from '../../shared/errors.js';
import { temporaryFolder } from '../data/temporary.js';
import { config, flip, parameters, randomState, stepPath, tensorFiles, write } from './made-up.js';

async function folderOf(t: TestContext, ...steps: number[]): Promise<string> {
  const folder = path.join(await temporaryFolder(t), 'checkpoints');
  for (const step of steps) await write(folder, step);
  return folder;
}

const isUserError = (reason: RegExp) => (error: unknown) =>
  error instanceof UserError && reason.test(error.message);

test('a run, its checkpoints, or one of them opens as a trained model', async (t) => {
  const folder = await folderOf(t, 1);
  const { sha256 } = await write(folder, 2);
  for (const at of [path.dirname(folder), folder, stepPath(folder, 2)]) {
    const { loadEma, loadComponents, ...model } = await openCheckpoint(at);
    assert.deepEqual(model, {
      ...{ path: stepPath(folder, 2), step: 2, sha256, config },
      ...{ shape: [28, 28, 1], numClasses: 256, skipped: [] },
    });
    assert.deepEqual(await loadEma(parameters), randomState(2).ema);
    assert.deepEqual(await loadComponents(), randomState(2).components);
  }
});

test('the manifest and the moving average are all that it takes', async (t) => {
  const folder = await folderOf(t, 1);
  for (const name of tensorFiles) if (name !== FILES.ema) rmSync(path.join(stepPath(folder, 1), name));
  const { loadEma } = await openCheckpoint(folder);
  assert.deepEqual(await loadEma(parameters), randomState(1).ema);
});

test('a damaged moving average is passed over, and told', async (t) => {
  const folder = await folderOf(t, 1, 2);
  const file = path.join(stepPath(folder, 2), FILES.ema);
  truncateSync(file, 100);
  const { step, skipped, loadEma } = await openCheckpoint(path.dirname(folder));
  assert.equal(step, 1);
  assert.deepEqual(skipped, [
    `${stepPath(folder, 2)}: ema.safetensors is truncated: 100 bytes instead of ${readFileSync(path.join(stepPath(folder, 1), FILES.ema)).length}`,
  ]);
  assert.deepEqual(await loadEma(parameters), randomState(1).ema);
});

test('where there is no checkpoint, it says what to name', async (t) => {
  const folder = await folderOf(t);
  for (const at of [folder, path.dirname(folder), stepPath(folder, 1)])
    await assert.rejects(openCheckpoint(at), isUserError(/there is no checkpoint. Name the folder of a run/));
});

test('a moving average of another model, or gone meanwhile, is told by its file', async (t) => {
  const folder = await folderOf(t, 1);
  const { loadEma } = await openCheckpoint(folder);
  await assert.rejects(
    loadEma(parameters.slice(1)),
    isUserError(/step-00000001: ema\.safetensors has a tensor "block\/conv1\/kernel" that the model lacks/),
  );
  rmSync(stepPath(folder, 1), { recursive: true });
  await assert.rejects(loadEma(parameters), isUserError(/step-00000001: ema\.safetensors is missing/));
});

test('damaged or absent components are told when they are asked for', async (t) => {
  const folder = await folderOf(t, 1);
  const { loadComponents } = await openCheckpoint(folder);
  const file = path.join(stepPath(folder, 1), FILES.components);
  flip(file, readFileSync(file).length - 1);
  await assert.rejects(loadComponents(), isUserError(/step-00000001: components\.safetensors is altered/));
  rmSync(file);
  await assert.rejects(loadComponents(), isUserError(/step-00000001: components\.safetensors is missing/));
});
