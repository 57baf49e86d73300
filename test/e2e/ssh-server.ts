import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../data/temporary.js';
import { freePort } from '../support/free-port.js';

/** Whether there is an ssh, and an sshd that this user may run for itself. */
export const hasSsh =
  existsSync('/usr/sbin/sshd') &&
  spawnSync('ssh', ['-V']).status === 0 &&
  spawnSync('ssh-keygen', ['-?']).error === undefined;

export interface SshServer {
  /** For PATH: first in it is an `ssh` that knows this server as the host `there`. */
  readonly path: string;
  /** No further connection is taken. */
  stop(): void;
}

/** Starts an sshd of this user on a free port of 127.0.0.1, with keys of its own. */
export async function startSshd(t: TestContext): Promise<SshServer> {
  const folder = await temporaryFolder(t);
  const file = (name: string) => path.join(folder, name);
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  copyFileSync(file('user.pub'), file('authorized'));
  // Where root runs it, it wants this folder.
  if (process.getuid!() === 0) mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  writeFileSync(
    file('sshd_config'),
    `ListenAddress 127.0.0.1:${port}
HostKey ${file('host')}
AuthorizedKeysFile ${file('authorized')}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
`,
  );
  writeFileSync(
    file('ssh_config'),
    `Host there
  HostName 127.0.0.1
  Port ${port}
  IdentityFile ${file('user')}
  IdentitiesOnly yes
  UserKnownHostsFile ${file('known')}
  StrictHostKeyChecking accept-new
`,
  );
  const ssh = execFileSync('which', ['ssh'], { encoding: 'utf8' }).trim();
  mkdirSync(file('bin'));
  writeFileSync(file('bin/ssh'), `#!/bin/sh\nexec ${ssh} -F ${file('ssh_config')} "$@"\n`, { mode: 0o755 });
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')]);
  let said = '';
  sshd.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const stop = () => sshd.kill('SIGKILL');
  t.after(stop);
  for (let waited = 0; !said.includes('Server listening'); waited++) {
    if (waited > 200 || sshd.exitCode !== null) throw new Error(`sshd did not start: ${said}`);
    await sleep(50);
  }
  return { path: `${file('bin')}:${process.env.PATH}`, stop };
}
