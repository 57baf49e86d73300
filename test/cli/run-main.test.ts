import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { describeError } from '../../shared/cli.js';
import { EXIT, UsageError, UserError } from '../../shared/errors.js';
import { temporaryFolder } from '../data/temporary.js';

/** Runs a program of its own whose main is `body`. */
async function run(t: TestContext, body: string, shell?: string) {
  const file = path.join(await temporaryFolder(t), 'main.mjs');
  const from = (name: string) => JSON.stringify(new URL(`../../shared/${name}.js`, import.meta.url).href);
  writeFileSync(
    file,
    `import { runMain } from ${from('cli')};
    import { UserError, UsageError } from ${from('errors')};
    await runMain('prog', async (argv) => { ${body} });`,
  );
  const [command, args] = shell
    ? ['bash', ['-c', `set -o pipefail; '${process.execPath}' '${file}' ${shell}`]]
    : [process.execPath, [file, 'one', 'two']];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a program ends with the code that its main gives, even where something would keep it alive', async (t) => {
  const { status, stdout } = await run(t, `setInterval(() => {}, 1e6); console.log(argv.join()); return 3;`);
  assert.deepEqual([status, stdout], [3, 'one,two\n']);
});

test('an error that a person can act on is its message alone', async (t) => {
  const failed = await run(t, `throw new UserError('the disk is full', 1);`);
  assert.deepEqual(failed, { status: EXIT.failure, stdout: '', stderr: 'prog: the disk is full\n' });
  const misused = await run(t, `throw new UsageError('no such flag');`);
  assert.deepEqual(misused, { status: EXIT.usage, stdout: '', stderr: 'prog: no such flag\n' });
});

test('any other error is a bug, told with its stack', async (t) => {
  const { status, stderr } = await run(t, `throw new TypeError('x is undefined');`);
  assert.equal(status, EXIT.failure);
  assert.match(
    stderr,
    /^prog: this is a bug, please report it with these lines:\nTypeError: x is undefined\n +at .*main\.mjs/,
  );
});

test('a reader that leaves early does no harm', async (t) => {
  const body = `for (let i = 0; i < 1e5; i++) console.log('a long line of output, ' + i); return 0;`;
  const { status, stdout, stderr } = await run(t, body, '| head -n 1');
  assert.deepEqual([status, stdout, stderr], [0, 'a long line of output, 0\n', '']);
});

test('errors are red on a terminal unless NO_COLOR is set', (t) => {
  const before = process.env.NO_COLOR;
  t.after(() => (before === undefined ? delete process.env.NO_COLOR : (process.env.NO_COLOR = before)));
  delete process.env.NO_COLOR;
  assert.equal(describeError('prog', new UserError('x'), false), 'prog: x');
  assert.equal(describeError('prog', new UsageError('x'), true), '\x1b[31mprog:\x1b[39m x');
  process.env.NO_COLOR = '1';
  assert.equal(describeError('prog', new UserError('x'), true), 'prog: x');
});
