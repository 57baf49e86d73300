import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../shared/package.js';
import { unchecked } from '../support/unchecked.js';
import type { WebgpuReport } from './webgpu-process.js';

test('WebGPU on a software device', async (t) => {
  if (`${process.platform} ${process.arch}` !== 'linux x64')
    return unchecked(t, 'WebGPU: its software device is for Linux on x86-64');
  const wrapper = path.join(packageRoot, 'scripts', 'webgpu-software.mjs');
  const script = fileURLToPath(new URL('./webgpu-process.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [wrapper, process.execPath, script]);
  const { proof, audio, refusal, hardware } = JSON.parse(stdout) as WebgpuReport;

  await t.test('trains as the reference does: outputs and every gradient', () =>
    assert.ok(proof.difference <= 1e-4, `off by ${proof.difference}`),
  );
  await t.test('trains an audio network as the reference does', () =>
    assert.ok(audio <= 1e-4, `off by ${audio}`),
  );
  await t.test('repeats to the bit', () => assert.ok(proof.repeatable));
  await t.test('an operation that it lacks is named when the program is compiled', () =>
    assert.equal(
      refusal,
      "comparison of flags does not run on onnxruntime's provider webgpu: it lacks Equal(bool, bool).",
    ),
  );
  await t.test('a software device is not taken for a GPU', () =>
    assert.match(hardware, /only SwiftShader.*computes on the CPU.*--provider webgpu/),
  );
});
