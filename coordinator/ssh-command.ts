import type { SshHost } from '../shared/config/schema.js';
import type { Exit } from '../shared/launch/supervised.js';

/** ssh's own exit code for what went wrong with the connection. */
export const SSH_FAILED = 255;

const OPTIONS = ['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=15', 'ServerAliveCountMax=3'];

/**
 * The arguments by which ssh starts the workers of a host. Their keys are no part of it: they follow through standard input.
 *
 * @param listening where this coordinator listens
 */
export function sshArguments({ host, gpus, command, coordinator }: SshHost, listening: string): string[] {
  const device = gpus === 'none' ? '--cpu' : `--gpu ${gpus}`;
  const [, wildcardPort] = /^tcp:\/\/(?:\*|0\.0\.0\.0|\[::\]):(\d+)$/.exec(listening) ?? [];
  const script =
    coordinator === undefined && wildcardPort !== undefined
      ? `${FROM}; ${command} --stdin ${device} --coordinator "tcp://$from:${wildcardPort}"`
      : `${command} --stdin ${device} --coordinator ${coordinator ?? listening}`;
  return ['-T', ...OPTIONS.flatMap((option) => ['-o', option]), host, `exec sh -c ${quoted(script)}`];
}

/** Of the four words that sshd says of the connection, the first is the address that it comes from. */
const FROM = 'from=${SSH_CONNECTION%% *}; case $from in *:*) from="[$from]";; esac';

/** As one word for any shell that somebody may have as theirs. */
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** What went wrong, and what to do. `lastWords`: the last line that came. */
export function explainExit(
  { host, command }: Pick<SshHost, 'host' | 'command'>,
  { code, reason }: Exit,
  lastWords: string,
): string {
  const said = lastWords === '' ? '' : `; it said "${lastWords}"`;
  if (reason.endsWith('ENOENT'))
    return "ssh is not on this machine: install OpenSSH's client (Debian, Ubuntu: apt-get install openssh-client)";
  if (code === SSH_FAILED)
    return `ssh to ${host} failed${said}. See what is wrong with: ssh -o BatchMode=yes ${host} true`;
  if (code === 126 || code === 127)
    return `${host} cannot run "${command}"${said}. Install ardm there, or say in workers.hosts by which command it starts`;
  return `the workers on ${host} ended (${reason})${said}`;
}
