import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { encode } from 'fast-png';
import { findNativePackage } from '../../shared/engine/tensorflow.js';
import { packageRoot } from '../../shared/package.js';
import { unchecked } from '../support/unchecked.js';
import { Command, type Run } from './processes.js';
import { join, start, tinyRun } from './tiny-run.js';

/** 8x8 pixels, which a GPU made of software takes in a moment. */
function writeImages(folder: string): void {
  mkdirSync(folder);
  for (let nth = 0; nth < 40; nth++) {
    const data = Uint8Array.from({ length: 64 }, (_, i) => (i * (nth + 3)) % 256);
    writeFileSync(path.join(folder, `${nth}.png`), encode({ width: 8, height: 8, channels: 1, data }));
  }
}

/** A short run on small images without evaluation to speak of, and what it told of its steps. */
async function shortRun(t: TestContext, work: (run: Run) => Promise<unknown>) {
  const { config, folder } = await tinyRun(t);
  const images = `${folder}-images`;
  writeImages(images);
  const settings = [
    ...['data.set=folder', `data.folder=${images}`, 'training.batch=4', 'training.slices=2'],
    ...['evaluation.examples=2', 'evaluation.batch=2', 'samples.count=0'],
  ];
  const run = start(t, config, folder, ['--steps', '2', ...settings.flatMap((each) => ['--set', each])]);
  await work(run);
  assert.equal(await run.exit(), 0, run.stderr);
  const [joined] = run.events('join');
  return { device: joined!.device, steps: run.events('step') };
}

/** The same run by the engine of every day. */
const reference = (t: TestContext) => shortRun(t, (run) => join(t, run));

async function assertSameTraining(t: TestContext, { steps }: Awaited<ReturnType<typeof shortRun>>) {
  const expected = await reference(t);
  for (const [nth, { loss, gradientNorm }] of expected.steps.entries()) {
    assert.ok(Math.abs(steps[nth]!.loss / loss - 1) < 1e-4, `loss ${steps[nth]!.loss}, not ${loss}`);
    const norm = steps[nth]!.gradientNorm;
    assert.ok(Math.abs(norm / gradientNorm - 1) < 1e-3, `gradient norm ${norm}, not ${gradientNorm}`);
  }
}

test('a worker on tensorflow trains as one on onnxruntime does', async (t) => {
  if (findNativePackage(false) === undefined)
    return unchecked(t, 'a worker on the tensorflow engine: no tfjs-node is installed');
  const found = await shortRun(t, async (run) => {
    const flags = ['--engine', 'tensorflow', '--cpu', '--threads', '2'];
    new Command(t, 'worker', ['--coordinator', await run.address(), ...flags]);
  });
  assert.match(found.device, /^tensorflow, tfjs-node/);
  await assertSameTraining(t, found);
});

test('a worker on WebGPU trains as one on the CPU does', async (t) => {
  if (`${process.platform} ${process.arch}` !== 'linux x64')
    return unchecked(t, 'a worker on WebGPU: its software device is for Linux on x86-64');
  const found = await shortRun(t, async (run) => {
    const software = path.join(packageRoot, 'scripts', 'webgpu-software.mjs');
    const worker = path.join(packageRoot, 'dist', 'worker', 'bin.js');
    const flags = ['--coordinator', await run.address(), '--gpu', '0', '--provider', 'webgpu'];
    const child = spawn(process.execPath, [software, process.execPath, worker, ...flags], {
      stdio: 'ignore',
      detached: true,
    });
    t.after(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    });
  });
  assert.match(found.device, /^onnxruntime .*, webgpu, GPU 0$/);
  await assertSameTraining(t, found);
});
