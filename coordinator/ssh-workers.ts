import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { SshHost } from '../shared/config/schema.js';
import { EXIT } from '../shared/errors.js';
import { Supervised, type Restart } from '../shared/launch/supervised.js';
import { HostLogs } from './host-logs.js';
import { explainExit, SSH_FAILED, sshArguments } from './ssh-command.js';

export interface SshWorkersOptions {
  readonly hosts: readonly SshHost[];
  /** Where the coordinator listens. */
  readonly address: string;
  /** Holds HOST-GPU.log, and HOST.log for what no GPU's worker said. */
  readonly logFolder: string;
  /** How often in a row ssh is started again. */
  readonly restarts: number;
  /** By which they may join, as text; undefined: they need none. */
  readonly keys: string | undefined;
  readonly onRestart: (host: string, restart: Restart) => void;
  /** Its workers are gone and not started again. */
  readonly onLost: (host: string, reason: string) => void;
}

/**
 * The workers that the coordinator starts on other machines, an ssh each. Their standard input stays open as long as they are wanted:
 * they end with it, and with the connection. There they start each other again; here a connection that fails.
 */
export class SshWorkers {
  readonly #options: SshWorkersOptions;
  readonly #hosts: readonly Supervised[];
  readonly #logs: readonly HostLogs[];

  constructor(options: SshWorkersOptions) {
    this.#options = options;
    this.#logs = options.hosts.map(({ host }) => new HostLogs(options.logFolder, host));
    this.#hosts = options.hosts.map((host, nth) => this.#keep(host, this.#logs[nth]!));
  }

  /** Tells them to leave, and kills each ssh that is still there after `graceSeconds`. */
  async stop(graceSeconds: number): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop(graceSeconds, (ssh) => ssh.stdin!.end())));
    for (const logs of this.#logs) logs.close();
  }

  /** At once. */
  kill(): void {
    for (const host of this.#hosts) host.kill();
  }

  #keep(host: SshHost, logs: HostLogs): Supervised {
    const { restarts, onRestart, onLost } = this.#options;
    const ssh = new Supervised({
      start: () => this.#start(host, logs),
      restarts,
      isFinal: ({ code, reason }) => code !== SSH_FAILED && !reason.startsWith('SIG'),
      onRestart: (restart, exit) =>
        onRestart(host.host, { ...restart, reason: explainExit(host, exit, logs.lastLine) }),
    });
    void ssh.ended.then(({ deaths, ...exit }) => {
      if (deaths > 0 && exit.code !== EXIT.done) onLost(host.host, explainExit(host, exit, logs.lastLine));
    });
    return ssh;
  }

  #start(host: SshHost, logs: HostLogs): ChildProcess {
    const { address, keys = '\n' } = this.#options;
    const ssh = spawn('ssh', sshArguments(host, address));
    // It may be gone before it has read them.
    ssh.stdin.on('error', () => undefined).write(keys);
    for (const output of [ssh.stdout, ssh.stderr])
      createInterface({ input: output }).on('line', (line) => logs.take(line));
    return ssh;
  }
}
