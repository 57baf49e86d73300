import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../data/temporary.js';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

/** Whether Slurm and munge are on this machine, and this user may run them. */
export const hasSlurm =
  process.getuid!() === 0 &&
  ['munged', 'slurmctld', 'slurmd', 'sbatch'].every((program) => !spawnSync(program, ['--version']).error);

export interface Slurm {
  /** Where commands run and jobs with them; `bin` in it comes first in their PATH. */
  readonly folder: string;
  /** Runs one of Slurm's commands; gives what it prints. */
  run(command: string, ...args: string[]): Promise<string>;
  /** State, ExitCode and so on of a job. */
  job(id: string): Promise<Record<string, string>>;
}

/** Starts a cluster of this one machine, which has two CPUs and two GPUs if one believes it. */
export async function startSlurm(t: TestContext): Promise<Slurm> {
  const running: ChildProcess[] = [];
  // Before the folder goes.
  t.after(async () => {
    await run('scancel', '--user', userInfo().username);
    await until('no job is left', async () => (await run('squeue', '-h')) === '', 40);
    await Promise.all(running.map(stop));
  });
  const folder = await temporaryFolder(t);
  const file = (name: string) => path.join(folder, name);
  const [node] = hostname().split('.');
  writeFileSync(file('munge.key'), randomBytes(1024), { mode: 0o400 });
  for (const name of ['state', 'spool', 'bin']) mkdirSync(file(name));
  for (const gpu of ['gpu0', 'gpu1']) writeFileSync(file(gpu), '');
  writeFileSync(file('gres.conf'), `NodeName=${node} Name=gpu File=${file('gpu[0-1]')}\n`);
  writeFileSync(
    file('slurm.conf'),
    `ClusterName=test
SlurmctldHost=${node}(127.0.0.1)
SlurmUser=${userInfo().username}
AuthType=auth/munge
AuthInfo=socket=${file('munge.socket')}
SlurmctldPort=${await freePort()}
SlurmdPort=${await freePort()}
StateSaveLocation=${file('state')}
SlurmdSpoolDir=${file('spool')}
SlurmctldPidFile=${file('slurmctld.pid')}
SlurmdPidFile=${file('slurmd.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
ReturnToService=2
NodeName=${node} NodeAddr=127.0.0.1 CPUs=2 Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  const munge = ['socket', 'key', 'pid', 'seed', 'log'].map((name) => {
    const flag = name === 'socket' ? 'socket' : `${name}-file`;
    return `--${flag}=${file(`munge.${name}`)}`;
  });
  const env = { ...process.env, SLURM_CONF: file('slurm.conf'), PATH: `${file('bin')}:${process.env.PATH}` };
  const daemon = (program: string, ...args: string[]) =>
    running.push(spawn(program, args, { env, stdio: 'ignore' }));
  const run: Slurm['run'] = async (command, ...args) =>
    (await promisify(execFile)(command, args, { env, cwd: folder, timeout: 60_000 })).stdout.trim();
  daemon('munged', '--force', '--foreground', ...munge);
  await until('munged answers', async () => spawnSync('munge', ['-n', munge[0]!]).status === 0);
  daemon('slurmctld', '-D', '-f', file('slurm.conf'), '-L', file('slurmctld.log'));
  daemon('slurmd', '-D', '-f', file('slurm.conf'), '-L', file('slurmd.log'));
  try {
    await until(
      'the node is idle',
      async () => (await run('sinfo', '-h', '-o', '%t').catch(() => '')) === 'idle',
      30,
    );
  } catch (error) {
    const logs = ['slurmctld.log', 'slurmd.log'].map((name) => readFileSync(file(name), 'utf8').slice(-2000));
    throw new Error(`${(error as Error).message}\n${logs.join('\n')}`);
  }
  const job: Slurm['job'] = async (id) => {
    const words = (await run('scontrol', 'show', 'job', id)).split(/\s+/);
    return Object.fromEntries(words.map((word) => word.split(/=(.*)/s, 2)));
  };
  return { folder, run, job };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const kill = setTimeout(() => child.kill('SIGKILL'), 5000);
  child.kill('SIGTERM');
  await once(child, 'exit');
  clearTimeout(kill);
}
