import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'node:test';
import { Command } from 'commander';
import { register } from '../../cli/doctor.js';
import { temporaryFolder } from '../data/temporary.js';

test('doctor proves the engines of this machine and tells what else a run needs', async (t) => {
  const cache = await temporaryFolder(t);
  const before = process.env.ARDM_CACHE;
  process.env.ARDM_CACHE = cache;
  t.after(() => (before === undefined ? delete process.env.ARDM_CACHE : (process.env.ARDM_CACHE = before)));
  const busy = createServer().listen(9464, '127.0.0.1');
  await Promise.race([once(busy, 'listening'), once(busy, 'error')]);
  t.after(() => busy.close());

  const lines: string[] = [];
  t.mock.method(console, 'log', (line: string) => lines.push(line));
  const program = new Command();
  register(program);
  await program.parseAsync(['doctor', '--json'], { from: 'user' });
  const report = JSON.parse(lines.join('\n'));

  const cpu = report.engines.find(
    ({ engine, provider }: { engine: string; provider: string }) =>
      engine === 'onnxruntime' && provider === 'cpu',
  );
  assert.ok(cpu.passes && cpu.repeatable && cpu.milliseconds > 0, JSON.stringify(cpu));
  for (const { passes, reason, remedy } of report.engines) assert.ok(passes || (reason && remedy));
  assert.equal(report.ports.find(({ port }: { port: number }) => port === 9464).free, false);
  assert.deepEqual([report.cache.path, report.cache.writable], [cache, true]);
  assert.ok(report.cache.freeBytes > 0);
  assert.equal(process.exitCode ?? 0, 0);

  lines.length = 0;
  await program.parseAsync(['doctor'], { from: 'user' });
  assert.match(lines[0]!, /^ardm [\d.]+, Node [\d.]+, /);
  assert.ok(
    lines.some((line) => /^ {2}ok {4}onnxruntime .*, cpu, .* ms, off by .*, repeats to the bit$/.test(line)),
  );
  assert.ok(lines.includes('Port    9464 (metrics) is in use'));
});
