import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Command } from './processes.js';
import { endOf, start, tinyRun } from './tiny-run.js';

/** A run's config, and a folder of keys beside it as `ardm keys new` makes it. */
async function withKeys(t: TestContext) {
  const { config, folder } = await tinyRun(t);
  const home = path.dirname(config);
  const made = await ran(t, home, ['keys', 'new']);
  return { config, folder, home, made, keys: path.join(home, 'keys') };
}

async function ran(t: TestContext, cwd: string, args: readonly string[]): Promise<Command> {
  const command = new Command(t, 'cli', args, { cwd });
  assert.equal(await command.exit(), 0, command.stderr);
  return command;
}

function work(
  t: TestContext,
  address: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Command {
  return new Command(t, 'worker', ['--coordinator', address, '--cpu', '--threads', '1', ...args], { env });
}

/** The 43 characters of every key in a file, secrets first where it has some. */
const keysIn = (file: string) => readFileSync(file, 'utf8').match(/(?<![\w-])[\w-]{43}(?![\w-])/g)!;

/** Everything that a run wrote down. */
function writtenIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
}

test('with keys any address is listened on; local and outside workers join, to the same bits, and no secret is written down', async (t) => {
  const { config, folder, home, keys, made } = await withKeys(t);
  const plain = start(t, config, `${folder}-plain`, ['--workers', '1', '--steps', '8']);
  const expected = await endOf(t, plain, 8);

  const added = await ran(t, home, ['keys', 'add', 'second']);
  const args = ['--listen', 'tcp://0.0.0.0:0', '--keys', keys, '--json', '--steps', '8'];
  const run = start(t, config, folder, [...args, '--workers', '1', '--set', 'workers.minimum=3']);
  const address = (await run.address()).replace('0.0.0.0', '127.0.0.1');
  const first = work(t, address, ['--keys', path.join(keys, 'worker.key')]);
  const second = work(t, address, [], { ARDM_KEYS: readFileSync(path.join(keys, 'second.key'), 'utf8') });
  assert.deepEqual(await endOf(t, run, 8), expected);
  assert.deepEqual([await first.exit(), await second.exit()], [0, 0]);

  const listed = await ran(t, home, ['keys', 'list', '--json']);
  const names = (JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names, ['second', 'worker']);
  const said = [made, added, listed, run, first, second].map(({ stdout, stderr }) => stdout + stderr);
  const everything = [...said, writtenIn(folder)].join('\n');
  for (const name of ['coordinator.key', 'worker.key', 'second.key'])
    assert.ok(!everything.includes(keysIn(path.join(keys, name))[0]!), `the secret of ${name}`);
});

test('a key that was removed is refused while the run goes on; one that is added joins it', async (t) => {
  const { config, folder, home, keys } = await withKeys(t);
  const run = start(t, config, folder, ['--keys', keys, '--steps', '4']);
  const address = await run.address();
  rmSync(path.join(keys, 'allowed', 'worker.pub'));
  const removed = work(t, address, ['--keys', path.join(keys, 'worker.key')]);
  assert.equal(await removed.exit(), 1);
  assert.match(removed.stderr, /refused: .*does not let the key of "worker" in/);
  assert.doesNotMatch(removed.stderr, /^\s+at /m);
  const [, publicKey] = keysIn(path.join(keys, 'worker.key'));
  assert.match((await run.event('refused')).reason, new RegExp(`${publicKey} is not allowed`));

  const again = work(t, address, ['--keys', path.join(keys, 'worker.key')]);
  assert.equal(await again.exit(), 1);
  const { http } = await run.event('listen');
  const metrics = await (await fetch(`${http}/metrics`)).text();
  assert.match(metrics, /^ardm_connections_refused_total 2$/m);
  assert.equal(run.events('refused').length, 1, 'once a minute');

  await ran(t, home, ['keys', 'add', 'late']);
  const late = work(t, address, ['--keys', path.join(keys, 'late.key')]);
  assert.equal(await run.exit(), 0, run.stderr);
  assert.equal(await late.exit(), 0);
});

test('a worker without keys, and one that was made for another coordinator, say what is wrong', async (t) => {
  const { config, folder, home, keys } = await withKeys(t);
  await ran(t, home, ['keys', 'new', '--dir', 'others']);
  const run = start(t, config, folder, ['--keys', keys]);
  const address = await run.address();
  const bare = work(t, address, []);
  const other = work(t, address, [
    '--keys',
    path.join(home, 'others', 'worker.key'),
    '--connect-timeout',
    '10',
  ]);
  assert.equal(await bare.exit(), 1);
  assert.match(bare.stderr, /refused: .*wants keys \(--keys FILE\)/);
  assert.equal(await other.exit(), 1);
  assert.match(other.stderr, /no coordinator answered .*another key than the one that "worker" was made for/);
  assert.deepEqual(run.events('join'), []);
});

test('keys that can be read by others, are missing, or contradict --insecure end with advice', async (t) => {
  const { config, folder, keys } = await withKeys(t);
  const both = start(t, config, folder, ['--keys', keys, '--insecure']);
  assert.equal(await both.exit(), 2);
  assert.match(both.stderr, /--keys and --insecure contradict/);
  const none = start(t, config, folder, ['--keys', `${keys}-2`]);
  assert.equal(await none.exit(), 1);
  assert.match(none.stderr, /`ardm keys new` makes keys/);
  const open = work(t, 'tcp://127.0.0.1:9', ['--keys', path.join(keys, 'allowed', 'worker.pub')]);
  assert.equal(await open.exit(), 1);
  assert.match(open.stderr, /others may read .*chmod 600/);
});
