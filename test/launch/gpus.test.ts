import assert from 'node:assert/strict';
import test from 'node:test';
import { gpuPrefix, takeGpuPrefix } from '../../shared/launch/gpu-lines.js';
import { numVisible } from '../../shared/launch/gpus.js';

const LISTING = `GPU 0: NVIDIA H100 (UUID: GPU-11)
  MIG 1g.10gb     Device  0: (UUID: MIG-22)
GPU 1: NVIDIA H100 (UUID: GPU-33)
`;

test('GPUs are counted as CUDA counts them', () => {
  const counted: [visible: string | undefined, expected: number][] = [
    [undefined, 2],
    ['0,1', 2],
    ['1', 1],
    ['GPU-33, GPU-11', 2],
    ['MIG-22,MIG-44', 1],
    ['', 0],
    ['-1', 0],
    ['1,7,0', 1],
  ];
  for (const [visible, expected] of counted) assert.equal(numVisible(LISTING, visible), expected, visible);
  assert.equal(numVisible('', '0,1'), 0, 'no driver, no GPU');
  assert.equal(numVisible('No devices were found\n', undefined), 0);
});

test('the lines of several GPUs are told apart again', () => {
  assert.deepEqual(takeGpuPrefix(`${gpuPrefix(12)} joined | as 3`), { gpu: 12, text: 'joined | as 3' });
  assert.deepEqual(takeGpuPrefix('no gpu 1 | here'), { text: 'no gpu 1 | here' });
});
