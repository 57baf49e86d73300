import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { localDevices } from '../../coordinator/local-workers.js';
import { temporaryFolder } from '../data/temporary.js';

const threads = String(availableParallelism());

test('so many local workers share the threads of the CPU', () => {
  assert.deepEqual(localDevices(0), []);
  assert.deepEqual(localDevices(1), [['--cpu', '--threads', threads]]);
  assert.deepEqual(localDevices(1000)[999], ['--cpu', '--threads', '1']);
});

test('auto is a worker on each GPU, or one on the CPU where there is none', async (t) => {
  const { PATH, CUDA_VISIBLE_DEVICES } = process.env;
  const folder = await temporaryFolder(t);
  t.after(() => {
    process.env.PATH = PATH;
    if (CUDA_VISIBLE_DEVICES !== undefined) process.env.CUDA_VISIBLE_DEVICES = CUDA_VISIBLE_DEVICES;
  });
  process.env.PATH = `${folder}:/bin`;
  delete process.env.CUDA_VISIBLE_DEVICES;
  const smi = path.join(folder, 'nvidia-smi');
  writeFileSync(smi, '#!/bin/sh\necho "No devices were found"\n', { mode: 0o755 });
  assert.deepEqual(localDevices('auto'), [['--cpu', '--threads', threads]]);
  writeFileSync(smi, "#!/bin/sh\nprintf 'GPU 0: A\\nGPU 1: B\\n'\n");
  assert.deepEqual(localDevices('auto'), [
    ['--gpu', '0'],
    ['--gpu', '1'],
  ]);
});
