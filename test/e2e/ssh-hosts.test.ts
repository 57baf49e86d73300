import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../data/temporary.js';
import { unchecked } from '../support/unchecked.js';
import { Command, Run } from './processes.js';
import { hasSsh, startSshd } from './ssh-server.js';
import { endOf, tinyRun } from './tiny-run.js';

const WORKER = `${process.execPath} ${fileURLToPath(new URL('worker-without-gpu.js', import.meta.url))}`;

/** 32 bytes as base64url. */
const KEY = /(?<![\w-])[\w-]{43}(?![\w-])/;

/** A run whose config starts workers on the host `there`. */
async function runWithHost(
  t: TestContext,
  host: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<Run> {
  const { config, folder } = await tinyRun(t);
  const home = path.dirname(config);
  assert.equal(await new Command(t, 'cli', ['keys', 'new'], { cwd: home }).exit(), 0);
  const hosts = JSON.stringify([{ host: 'there', gpus: [0, 1], command: WORKER, ...host }]);
  const reach = ['--listen', 'tcp://0.0.0.0:0', '--keys', path.join(home, 'keys')];
  const all = ['--config', config, '--set', `workers.hosts=${hosts}`, ...reach, ...args];
  return new Run(t, folder, all, { env });
}

const log = (run: Run, name: string) => readFileSync(path.join(run.folder, 'logs', name), 'utf8');

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
}

/** All processes of this machine. */
function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, parent] = /^\d+ \(.*\) . (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(pid), parent: Number(parent), commandLine }];
      } catch {
        return [];
      }
    });
}

test('workers start on a host over ssh, are told apart in the logs, and end with the run; no key is on a command line', async (t) => {
  if (!hasSsh) return unchecked(t, 'OpenSSH with sshd');
  const { path: PATH } = await startSshd(t);
  const run = await runWithHost(t, {}, { PATH }, ['--set', 'workers.minimum=2']);
  await run.event('step');
  const lines = processes().filter(({ commandLine }) => commandLine.includes('worker-without-gpu'));
  assert.ok(lines.length >= 5, 'ssh, its shell, the fleet and two workers');
  for (const { commandLine } of lines) assert.doesNotMatch(commandLine, KEY);
  await endOf(t, run, 24);
  for (const gpu of [0, 1]) assert.match(log(run, `there-${gpu}.log`), /^\S+ joined tiny as slot \d with /m);
  assert.deepEqual(run.events('host-restart'), []);
});

test('a connection that is lost takes its workers with it, and is made again', async (t) => {
  if (!hasSsh) return unchecked(t, 'OpenSSH with sshd');
  const { path: PATH } = await startSshd(t);
  const run = await runWithHost(t, {}, { PATH }, ['--set', 'workers.minimum=2']);
  await run.event('step', ({ step }) => step >= 2);
  const ssh = processes().find(({ parent }) => parent === run.child.pid!)!;
  process.kill(ssh.pid, 'SIGKILL');
  await run.event('leave', () => true, 1);
  const { host, attempt, reason } = await run.event('host-restart');
  assert.deepEqual([host, attempt], ['there', 1]);
  assert.match(reason, /^the workers on there ended \(SIGKILL\)/);
  await endOf(t, run, 24);
  assert.equal(run.events('join').length, 4);
});

test('no worker is left on a host whose coordinator was killed', async (t) => {
  if (!hasSsh) return unchecked(t, 'OpenSSH with sshd');
  const { path: PATH } = await startSshd(t);
  const run = await runWithHost(t, {}, { PATH }, ['--steps', '1000']);
  await run.event('step');
  run.kill('SIGKILL');
  const joined = new Set(run.events('join').map(({ pid }) => pid));
  for (let waited = 0; processes().some(({ pid }) => joined.has(pid)); waited++) {
    assert.ok(waited < 100, 'they go on');
    await sleep(100);
  }
});

test('a host that can’t be reached, a command that is not there, and no ssh at all are told with what to do', async (t) => {
  if (!hasSsh) return unchecked(t, 'OpenSSH with sshd');
  const server = await startSshd(t);
  const once = ['--set', 'workers.restarts=0'];
  const failing = async (host: Readonly<Record<string, unknown>>, PATH: string, message: RegExp) => {
    const run = await runWithHost(t, host, { PATH }, once);
    assert.equal(await run.exit(), 1, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.events('host-lost').length, 1);
  };
  await failing(
    { command: 'ardm-wroker' },
    server.path,
    /there cannot run "ardm-wroker"; it said ".*not found/,
  );
  await failing({}, await temporaryFolder(t), /ssh is not on this machine: install OpenSSH's client/);
  server.stop();
  await failing(
    {},
    server.path,
    /ssh to there failed; it said ".*Connection refused"\. See what is wrong with/,
  );
});
