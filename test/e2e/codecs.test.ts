import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkpoints, endOf, join, start, tinyRun } from './tiny-run.js';

const LAST_STEP = 24;
const codec = (settings: string) => ['--set', `exchange.codec={ ${settings} }`];

for (const [kind, mostBytes] of [
  ['bf16', 2.2],
  ['int8', 1.2],
] as const)
  test(`${kind}: three workers, one of which is killed, end with the same weights as one alone`, async (t) => {
    const { config, folder } = await tinyRun(t);
    const alone = start(t, config, folder, codec(`kind: ${kind}`));
    await join(t, alone);
    const expected = await endOf(t, alone, LAST_STEP);
    const { numParameters } = alone.events('start')[0]!;
    const { average } = alone.events('step').at(-1)!.bytesByType.out;
    assert.ok(average! < mostBytes * numParameters, `${average} bytes for ${numParameters} parameters`);

    const other = await tinyRun(t);
    const settings = [...codec(`kind: ${kind}`), '--set', 'workers.minimum=2'];
    const run = start(t, other.config, other.folder, settings);
    // Eight slices: 2, 3 and 3 of them, of which some travel alone.
    const [, victim] = await Promise.all([join(t, run), join(t, run), join(t, run)]);
    await run.event('step', ({ step, members }) => step >= 7 && members === 3);
    victim.kill('SIGKILL');
    assert.deepEqual(await endOf(t, run, LAST_STEP), expected);
  });

test('top-k: a worker that is killed takes what it kept back with it, and the replicas go on alike', async (t) => {
  const { config, folder } = await tinyRun(t);
  const settings = codec('kind: top-k, density: 0.1');
  const run = start(t, config, folder, [...settings, '--steps', '15']);
  const [, victim] = await Promise.all([join(t, run), join(t, run)]);
  await run.event('step', ({ step, members }) => step >= 6 && members === 2);
  victim.kill('SIGKILL');
  await endOf(t, run, 15);
  const last = (await checkpoints(t, folder)).at(-1)!;
  assert.ok(existsSync(path.join(last.path, 'residual.safetensors')));

  const resumed = start(t, config, folder, settings);
  await join(t, resumed);
  await endOf(t, resumed, LAST_STEP);
  assert.equal(resumed.events('resume')[0]!.step, 15);
});

test('a run is not resumed with another codec', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '2', '--workers', '1']);
  assert.equal(await run.exit(), 0, run.stderr);
  const other = start(t, config, folder, codec('kind: bf16'));
  assert.equal(await other.exit(), 2);
  assert.match(other.stderr, /exchange\.codec\.kind: "bf16" now, "float32" in the checkpoint/);
});
