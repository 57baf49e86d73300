import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folderWithDisk } from '../checkpoint/tmpfs.js';
import { unchecked } from '../support/unchecked.js';
import { checkpoints, start, tinyRun } from './tiny-run.js';

test('a disk that fills up costs checkpoints, not the run; its end says that the state is on no disk', async (t) => {
  const { config } = await tinyRun(t);
  // One checkpoint of 0.5 MB fits, a second one beside it does not.
  const folder = await folderWithDisk(t, '800k', 'checkpoints');
  if (!folder) return unchecked(t, 'a full disk: mounting a small one takes root');
  const run = start(t, config, folder, ['--workers', '1', '--steps', '12']);
  assert.equal(await run.exit(), 1);
  assert.match(run.stderr, /the last checkpoint could not be written: .*ENOSPC/);
  assert.ok(run.events('checkpoint-failed').every(({ reason }) => reason.includes('ENOSPC')));
  assert.equal(run.events('step').at(-1)!.step, 12);
  const [only, ...others] = await checkpoints(t, folder);
  assert.deepEqual([only!.step, others.length], [5, 0]);
  assert.deepEqual(readdirSync(path.join(folder, 'checkpoints')).toSorted(), ['latest', 'step-00000005']);
});
