import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineProcess } from '../../bench/line-process.js';
import { UserError } from '../../shared/errors.js';

const node = (script: string) => new LineProcess('the peer', process.execPath, ['-e', script]);

test('each line is answered in order', async () => {
  const echo = node(
    "require('readline').createInterface(process.stdin).on('line', (line) => console.log(line))",
  );
  assert.deepEqual(await echo.ask({ step: 1 }), { step: 1 });
  assert.deepEqual(await echo.ask({ step: 2 }), { step: 2 });
  await echo.close();
});

test('a process that fails is quoted', async () => {
  const failing = node(
    "process.stdin.once('data', () => { console.error('out of memory'); process.exit(1) })",
  );
  await assert.rejects(failing.ask({}), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /the peer ended without an answer:\nout of memory/);
    return true;
  });
  await failing.close();
});
