import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { candidates } from '../../shared/engine/candidates.js';
import { askProbe, tryEngine } from '../../shared/engine/trial.js';
import { temporaryFolder } from '../data/temporary.js';

const request = { engine: 'onnxruntime', provider: 'cpu', gpu: 0, threads: 1 } as const;

async function script(t: TestContext, text: string): Promise<string> {
  const file = path.join(await temporaryFolder(t), 'probe.mjs');
  await writeFile(file, text);
  return file;
}

test('an engine that works is proved in a process of its own', async () => {
  const cpu = candidates.find(({ engine, provider }) => engine === 'onnxruntime' && provider === 'cpu')!;
  const trial = await tryEngine(cpu, 0, 1);
  assert.equal(trial.passes, true, trial.reason);
  assert.match(trial.description!, /^onnxruntime .*, cpu, 1 thread$/);
  assert.ok(trial.milliseconds! > 0 && trial.difference! <= 1e-4 && trial.repeatable);
});

test('a crash of a native library is a reason, not a crash', async (t) => {
  const crashing = await script(t, 'process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000)');
  assert.deepEqual(await askProbe(crashing, request, 60), {
    passes: false,
    reason: 'it ended its process with SIGSEGV.',
  });
});

test('what a process said last explains why it ended', async (t) => {
  const failing = await script(t, 'console.error("no such symbol"); process.exit(127)');
  assert.deepEqual(await askProbe(failing, request, 60), {
    passes: false,
    reason: 'it ended its process with exit code 127: no such symbol',
  });
});

test('an engine that hangs is given up', async (t) => {
  const hanging = await script(t, 'setInterval(() => {}, 1000)');
  assert.deepEqual(await askProbe(hanging, request, 0.5), {
    passes: false,
    reason: 'it gave no answer within 0.5 s.',
  });
});
