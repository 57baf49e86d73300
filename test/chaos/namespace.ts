import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'pipe' });

/**
 * A network namespace of its own, as another machine has, with a link to this one. A link that is down tells nobody: packets are lost and no connection
 * is closed, as where a cable is pulled. Takes Linux, `unshare`, `nsenter` and `ip`, and the right to use them.
 */
export class Namespace {
  /** Address of this machine, as the namespace sees it. */
  readonly host: string;
  readonly #link: string;
  readonly #holder: ChildProcess;

  private constructor(number: number, holder: ChildProcess) {
    this.host = `10.213.${number}.1`;
    this.#link = `ardm${process.pid}`;
    this.#holder = holder;
  }

  /** The reason in place of a namespace where this machine allows none. */
  static async open(): Promise<Namespace | string> {
    const holder = spawn('unshare', ['-n', 'sleep', '86400'], { stdio: 'ignore' });
    holder.once('error', () => undefined);
    await sleep(300);
    const namespace = new Namespace(1 + (process.pid % 250), holder);
    try {
      namespace.#connect();
      return namespace;
    } catch (error) {
      namespace.close();
      return (error as Error).message.trim().split('\n').at(-1)!;
    }
  }

  /** Words that the command line of what runs inside begins with. */
  get within(): string[] {
    return ['nsenter', '-t', String(this.#holder.pid), '-n'];
  }

  set isUp(isUp: boolean) {
    run('ip', 'link', 'set', this.#link, isUp ? 'up' : 'down');
  }

  close(): void {
    this.#holder.kill('SIGKILL');
  }

  #connect(): void {
    const { pid } = this.#holder;
    const other = this.host.replace(/1$/, '2');
    const inside = (...args: string[]) => run('nsenter', '-t', String(pid), '-n', 'ip', ...args);
    run('ip', 'link', 'add', this.#link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
    run('ip', 'addr', 'add', `${this.host}/30`, 'dev', this.#link);
    this.isUp = true;
    inside('addr', 'add', `${other}/30`, 'dev', 'eth0');
    inside('link', 'set', 'eth0', 'up');
  }
}
