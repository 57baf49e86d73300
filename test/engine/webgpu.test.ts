import assert from 'node:assert/strict';
import test from 'node:test';
import { unchecked } from '../support/unchecked.js';
import type { WebgpuReport } from './webgpu-process.js';
import { noSoftwareDevice, reportOf } from './webgpu-software.js';

test('WebGPU on a software device', async (t) => {
  if (noSoftwareDevice) return unchecked(t, noSoftwareDevice);
  const { proof, audio, refusal, hardware } = await reportOf<WebgpuReport>('./webgpu-process.js');

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
