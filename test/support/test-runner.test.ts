import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

/** A project with the runner and these tests, by path below `test/` without endings. */
async function project(t: TestContext, tests: Record<string, string>): Promise<string> {
  const root = await temporaryFolder(t);
  cpSync(path.join(packageRoot, 'scripts', 'test.mjs'), path.join(root, 'scripts', 'test.mjs'));
  for (const [name, code] of Object.entries(tests)) {
    for (const [folder, ending] of [
      ['test', 'ts'],
      ['dist/test', 'js'],
    ] as const) {
      const file = path.join(root, folder, `${name}.test.${ending}`);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, `const test = require('node:test');\n${code}\n`);
    }
  }
  return root;
}

/** Runs the runner, as from a terminal; `onLine` sees each line that it prints. */
async function runTests(root: string, args: string[] = [], onLine?: (line: string, pid: number) => void) {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, ['scripts/test.mjs', ...args], { cwd: root, env });
  const lines: string[] = [];
  let rest = '';
  const read = (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop()!;
    for (const line of parts) {
      lines.push(line);
      onLine?.(line, child.pid!);
    }
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const exitCode = await new Promise((resolve) => child.on('close', resolve));
  return { exitCode, text: lines.join('\n'), last: lines.at(-1) };
}

const passing = `test('passes', () => {});`;

test('tests that pass give 0 and a closing line that counts', async (t) => {
  const root = await project(t, { one: passing, 'deep/er/two': `${passing} ${passing}` });
  const { exitCode, text, last } = await runTests(root);
  assert.equal(exitCode, 0, text);
  assert.equal(last, '3 passed, 0 failed, 0 skipped');
  assert.match(text, /^ok {3}test\/deep\/er\/two\.test\.ts: 2 tests, /m);
});

test('a failure is told in full by the names around it, with what its file printed', async (t) => {
  const inner = `await t.test('inner', () => { throw new Error('boom'); });`;
  const code = `test('outer', async (t) => { console.log('a hint'); ${inner} }); ${passing}`;
  const { exitCode, text, last } = await runTests(await project(t, { wrong: code, right: passing }));
  assert.equal(exitCode, 1);
  assert.equal(last, '2 passed, 1 failed, 0 skipped');
  assert.match(text, /^test\/wrong\.test\.ts: outer > inner\n {2}Error: boom\n {6}at .*wrong/m);
  assert.match(text, /^test\/wrong\.test\.ts printed:\n {2}a hint$/m);
  assert.doesNotMatch(text, /node:internal/);
});

test('what was skipped is listed once with its reason, and what is not built yet apart', async (t) => {
  const skip = (reason: string) => `test('s', (t) => t.skip('${reason}'));`;
  const code = skip('no GPU here') + skip('no GPU here') + skip('not built yet: text') + passing;
  const { exitCode, text, last } = await runTests(await project(t, { some: code }));
  assert.equal(exitCode, 0);
  assert.equal(last, '1 passed, 0 failed, 3 skipped');
  assert.match(text, /Not checked here:\n {2}no GPU here \(2 tests\)\nTo check it too: .*ci-install/);
  assert.match(text, /Left out:\n {2}not built yet: text\n/);
});

test('a file that ends early, hangs or holds no test has failed', async (t) => {
  const hang = `setInterval(() => {}, 1000);`;
  const root = await project(t, {
    ends: `${passing} process.exit(3);`,
    hangs: hang,
    'hangs-within': `${passing} test('waits', () => new Promise(() => ${hang.slice(0, -1)}));`,
    empty: '',
  });
  const { exitCode, text, last } = await runTests(root, ['--minutes', '0.05']);
  assert.equal(exitCode, 1);
  assert.match(text, /ends\.test\.ts: the process of the file\n.*\n {2}it ended with exit code 3/);
  assert.match(text, /hangs\.test\.ts: the process of the file\n {2}it did not end within 0\.05 minutes/);
  assert.match(
    text,
    /hangs-within\.test\.ts: .*\n {2}it did not end within 0\.05 minutes\n {2}.* last: waits$/m,
  );
  assert.match(text, /empty\.test\.ts: it holds no test/);
  assert.equal(last, '1 passed, 4 failed, 0 skipped');
});

test('no test at all is a failure', async (t) => {
  const { exitCode, text, last } = await runTests(await project(t, {}));
  assert.equal(exitCode, 1);
  assert.match(text, /no built test: `npm run build` first/);
  assert.equal(last, '0 passed, 0 failed, 0 skipped');
});

test('what was built of a source that is gone does not run', async (t) => {
  const root = await project(t, { here: passing });
  writeFileSync(path.join(root, 'dist/test/gone.test.js'), 'process.exit(1)');
  assert.equal((await runTests(root)).last, '1 passed, 0 failed, 0 skipped');
});

test('arguments name files and folders, of sources or built; --parity its folder', async (t) => {
  const root = await project(t, {
    'a/one': passing,
    'a/two': passing,
    'ab/three': passing,
    'parity/p': passing,
  });
  const count = async (...args: string[]) => (await runTests(root, args)).last!.split(' ')[0];
  assert.equal(await count('test/a'), '2');
  assert.equal(await count('test/a/', 'test/a/one.test.ts'), '2');
  assert.equal(await count('dist/test/a/one.test.js', 'test/ab'), '2');
  assert.equal(await count('--parity'), '1');
  for (const wrong of [['test/b'], ['--paritie'], ['--minutes', 'ten']])
    assert.equal((await runTests(root, wrong)).exitCode, 2);
});

test('an interruption ends the tests that run, and tells what came of the others', async (t) => {
  const tell = `process.stderr.write('started\\n');`;
  const root = await project(t, {
    a: passing,
    b: `${tell} test('b', () => new Promise(() => setInterval(() => {}, 1000)));`,
  });
  const { exitCode, text, last } = await runTests(root, [], (line, pid) => {
    if (line.startsWith('ok')) setTimeout(() => process.kill(pid, 'SIGINT'), 500);
  });
  assert.equal(exitCode, 130);
  assert.match(text, /Stopped before the end\./);
  assert.match(last!, /^1 passed, \d+ failed, 0 skipped$/);
});
