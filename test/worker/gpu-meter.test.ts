import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GpuMeter, gpuNameOf, gpuUseOf } from '../../worker/gpu-meter.js';
import { temporaryFolder } from '../data/temporary.js';

const onPosix = { skip: process.platform === 'win32' && 'a shell script stands for nvidia-smi' };

/** Puts an nvidia-smi first, or alone, on the path that writes down its arguments. */
async function standIn(t: TestContext, script?: string): Promise<string> {
  const folder = await temporaryFolder(t);
  const before = process.env.PATH;
  t.after(() => (process.env.PATH = before));
  process.env.PATH = script === undefined ? folder : `${folder}:${before}`;
  if (script !== undefined) {
    const file = path.join(folder, 'nvidia-smi');
    writeFileSync(file, `#!/bin/sh\necho "$@" >> ${folder}/asked\n${script}\n`);
    chmodSync(file, 0o755);
  }
  return path.join(folder, 'asked');
}

async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !isSo(); await sleep(20))
    assert.ok(Date.now() < deadline, 'waited in vain');
}

test('a GPU is as nvidia-smi says', onPosix, async (t) => {
  const asked = await standIn(t, "echo '93, 8192, 16384, 67'");
  const meter = new GpuMeter('GPU-c0ffee');
  t.after(() => meter.close());
  assert.equal(meter.use, undefined, 'nothing is known before it has answered');
  await until(() => meter.use !== undefined);
  assert.deepEqual(meter.use, { use: 0.93, memoryUsed: 2 ** 33, memory: 2 ** 34, celsius: 67 });
  assert.match(readFileSync(asked, 'utf8'), /^-i GPU-c0ffee --query-gpu=utilization\.gpu,memory\.used,/);
});

test('without nvidia-smi, or where it fails, nothing is known and nothing is said', onPosix, async (t) => {
  const said = t.mock.method(process.stderr, 'write', () => true);
  const asked = await standIn(t, 'echo "No devices were found"; exit 6');
  const failing = new GpuMeter('0');
  await until(() => existsSync(asked));
  failing.close();
  await standIn(t);
  const absent = new GpuMeter('0');
  await sleep(100);
  absent.close();
  assert.deepEqual([failing.use, absent.use], [undefined, undefined]);
  assert.equal(said.mock.callCount(), 0);
});

test('what a GPU does not tell is left out', () => {
  assert.deepEqual(gpuUseOf('[N/A], 8192, 16384, [Not Supported]\n'), {
    memoryUsed: 2 ** 33,
    memory: 2 ** 34,
  });
  for (const text of ['', 'No devices were found', '[N/A], [N/A], [N/A], [N/A]', 'NaN, -1, 1e9, 0x10'])
    assert.equal(gpuUseOf(text), undefined, text);
});

test('a GPU is asked for by its index, or by the name that CUDA_VISIBLE_DEVICES gives it', () => {
  assert.equal(gpuNameOf(1, undefined), '1');
  assert.equal(gpuNameOf(1, '4,GPU-c0ffee'), 'GPU-c0ffee');
  assert.equal(gpuNameOf(0, ''), '0');
});
