import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { HostLogs } from '../../coordinator/host-logs.js';
import { explainExit, sshArguments } from '../../coordinator/ssh-command.js';
import type { SshHost } from '../../shared/config/schema.js';
import { temporaryFolder } from '../data/temporary.js';

const HOST: SshHost = { host: 'me@gpu1', gpus: 'all', command: 'ardm-worker' };

/** What the other side's shell makes of a command, with `ardm-worker` a program that prints its arguments. */
function received(host: Partial<SshHost>, listening: string, from = '10.0.0.5 50022 10.0.0.7 22'): string {
  const remote = sshArguments({ ...HOST, ...host }, listening).at(-1)!;
  const { stdout, stderr } = spawnSync('sh', ['-c', remote.replace('ardm-worker', 'echo')], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, SSH_CONNECTION: from },
  });
  return stdout.trim() + stderr;
}

test('ssh asks nothing, waits for no host long, and starts the workers of the GPUs that are named', () => {
  const args = sshArguments(HOST, 'tcp://10.0.0.5:5670');
  assert.equal(
    args.slice(0, -2).join(' '),
    '-T -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=3',
  );
  assert.equal(args.at(-2), 'me@gpu1');
  const device = (gpus: SshHost['gpus']) => received({ gpus }, 'tcp://10.0.0.5:5670');
  assert.equal(device('all'), '--stdin --gpu all --coordinator tcp://10.0.0.5:5670');
  assert.equal(device([0, 2]), '--stdin --gpu 0,2 --coordinator tcp://10.0.0.5:5670');
  assert.equal(device('none'), '--stdin --cpu --coordinator tcp://10.0.0.5:5670');
});

test('where every address is listened on, a host takes the one that ssh comes from, unless it is told another', () => {
  for (const listening of ['tcp://0.0.0.0:6000', 'tcp://*:6000', 'tcp://[::]:6000'])
    assert.match(received({}, listening), /--coordinator tcp:\/\/10\.0\.0\.5:6000$/);
  assert.match(received({}, 'tcp://*:6000', 'fe80::5 1 fe80::7 22'), /tcp:\/\/\[fe80::5\]:6000$/);
  assert.match(received({ coordinator: 'tcp://head:1' }, 'tcp://*:6000'), /tcp:\/\/head:1$/);
});

test('a command may be anything that the shell takes', () => {
  const command = `cd / && X='a b' && test "$X" = 'a b' && ardm-worker "$PWD"`;
  assert.equal(received({ command, gpus: 'none' }, 'tcp://h:1'), '/ --stdin --cpu --coordinator tcp://h:1');
});

test('what went wrong is told with what to do', () => {
  const told = (code: number | null, reason = `exit code ${code}`, said = '') =>
    explainExit(HOST, { code, reason }, said);
  assert.match(
    told(null, 'spawn ssh ENOENT'),
    /^ssh is not on this machine: .*apt-get install openssh-client/,
  );
  assert.match(
    told(255, undefined, 'ssh: connect to host gpu1 port 22: Connection refused'),
    /^ssh to me@gpu1 failed; it said ".*Connection refused"\. .*ssh -o BatchMode=yes me@gpu1 true$/,
  );
  assert.match(
    told(127, undefined, 'sh: 1: ardm-worker: not found'),
    /^me@gpu1 cannot run "ardm-worker".*workers\.hosts/,
  );
  assert.equal(told(1), 'the workers on me@gpu1 ended (exit code 1)');
});

test('lines go to a file for each GPU, and to one for the host', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'logs');
  const logs = new HostLogs(folder, 'gpu1');
  for (const line of ['gpu 0 | joined', 'motd', 'gpu 10 | joined too', 'gpu 0 | left']) logs.take(line);
  logs.close();
  assert.equal(logs.lastLine, 'left');
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  assert.deepEqual(['gpu1-0.log', 'gpu1-10.log', 'gpu1.log'].map(read), [
    'joined\nleft\n',
    'joined too\n',
    'motd\n',
  ]);
});
