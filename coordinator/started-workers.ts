import type { Config } from '../shared/config/schema.js';
import type { RunEvent } from './events.js';
import { LocalWorkers, localDevices } from './local-workers.js';
import { SshWorkers } from './ssh-workers.js';

type Told = Extract<RunEvent, { event: 'restart' | 'host-restart' | 'host-lost' }>;
type WithoutStep<T> = T extends unknown ? Omit<T, 'step'> : never;

export interface StartedWorkersOptions {
  readonly workers: Config['workers'];
  /** Where they connect. */
  readonly address: string;
  /** For what they say. */
  readonly logFolder: string;
  /** By which they may join, as text; undefined: they need none. */
  readonly keys: string | undefined;
  readonly onExit: (local: number, reason: string) => void;
  readonly emit: (event: WithoutStep<Told>) => void;
  /** None of them is left, and none will be started again. */
  readonly onExhausted: (reason: string) => void;
}

/** The workers that a coordinator starts itself: on its own machine, and over ssh on others. They end with it. */
export class StartedWorkers {
  readonly #locals: LocalWorkers;
  readonly #hosts: SshWorkers;

  constructor({ workers, address, logFolder, keys, onExit, emit, onExhausted }: StartedWorkersOptions) {
    const { local, hosts, restarts } = workers;
    const devices = localDevices(local);
    let left = hosts.length + (devices.length > 0 ? 1 : 0);
    const exhausted = (reason: string) => {
      left--;
      if (left === 0) onExhausted(reason);
    };
    const common = { address, logFolder, restarts, keys };
    this.#locals = new LocalWorkers({
      ...common,
      devices,
      onExit,
      onRestart: (slot, restart) => emit({ event: 'restart', slot, ...restart }),
      onExhausted: exhausted,
    });
    this.#hosts = new SshWorkers({
      ...common,
      hosts,
      onRestart: (host, restart) => emit({ event: 'host-restart', host, ...restart }),
      onLost: (host, reason) => {
        emit({ event: 'host-lost', host, reason });
        exhausted(reason);
      },
    });
  }

  /** Tells them to leave, and kills whoever is still there after `graceSeconds`. */
  async stop(graceSeconds: number): Promise<void> {
    await Promise.all([this.#locals.stop(graceSeconds), this.#hosts.stop(graceSeconds)]);
  }

  /** At once. */
  kill(): void {
    this.#locals.kill();
    this.#hosts.kill();
  }
}
