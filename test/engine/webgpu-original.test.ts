import assert from 'node:assert/strict';
import test from 'node:test';
import { unchecked } from '../support/unchecked.js';
import { MODEL_CASES } from './model-fixture.js';
import type { OriginalReport } from './webgpu-original-process.js';
import { noSoftwareDevice, reportOf } from './webgpu-software.js';

test('WebGPU on a software device agrees with the original', async (t) => {
  if (noSoftwareDevice) return unchecked(t, noSoftwareDevice);
  const report = await reportOf<OriginalReport>('./webgpu-original-process.js');
  for (const name of MODEL_CASES) await t.test(name, () => assert.equal(report[name], null));
});
