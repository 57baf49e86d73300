import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventTail } from './events.js';
import type { Namespace } from './namespace.js';
import { Process } from './process.js';
import { Proxy } from './proxy.js';

/** After how many milliseconds what ended is started again. */
const RESTART_MS = 300;
/** Longer than any run goes on without a step, whatever its faults. */
const PATIENCE_MS = 120_000;

/** Where a worker runs, one after another, with a line of its own. */
export interface Place {
  readonly proxy: Proxy;
  readonly namespace: Namespace | undefined;
  worker: Process | undefined;
}

export interface ClusterOptions {
  readonly config: string;
  readonly folder: string;
  readonly steps: number;
  readonly numWorkers: number;
  readonly namespace: Namespace | undefined;
}

/** The processes of one run: whatever ends of them, before the run does, is started again. */
export class Cluster {
  readonly places: Place[] = [];
  coordinator!: Process;
  /** Committed steps. */
  step = 0;
  sha256: string | undefined;
  readonly #options: ClusterOptions;
  readonly #port: number;
  readonly #tail: EventTail;
  #steppedAt = performance.now();
  #isOver = false;
  #failure: Error | undefined;

  private constructor(options: ClusterOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#tail = new EventTail(path.join(options.folder, 'events.jsonl'));
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await freePort());
    cluster.#startCoordinator();
    for (let nth = 0; nth < options.numWorkers; nth++)
      await cluster.addPlace(nth === 0 ? options.namespace : undefined);
    return cluster;
  }

  /** Milliseconds without a step. */
  get stillMs(): number {
    return performance.now() - this.#steppedAt;
  }

  async addPlace(namespace?: Namespace): Promise<void> {
    const place = { proxy: await Proxy.open(this.#port, namespace?.host), namespace, worker: undefined };
    this.places.push(place);
    this.#startWorker(place);
  }

  /** Resolves once the coordinator has ended well, with `fault` called in between as often as it wants. */
  async run(fault: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await fault();
      this.#look();
      if (this.#failure) throw this.#failure;
    }
  }

  /** Nothing is frozen, held or slow any more. */
  heal(): void {
    for (const { proxy, worker, namespace } of this.places) {
      proxy.heal();
      if (namespace) namespace.isUp = true;
      if (worker?.isFrozen) worker.thaw();
    }
    if (this.coordinator.isFrozen) this.coordinator.thaw();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    const processes = [this.coordinator, ...this.places.flatMap(({ worker }) => worker ?? [])];
    for (const one of processes) one.end('SIGKILL');
    await Promise.all(processes.map(({ ended }) => ended));
    for (const { proxy } of this.places) proxy.close();
  }

  #look(): void {
    for (const event of this.#tail.read()) {
      if (event.event === 'divergence') this.#fail(`the state of slot ${event.slot} came apart`);
      if (event.event === 'done') this.sha256 = event.sha256;
      if (event.event !== 'step') continue;
      this.step = event.step;
      this.#steppedAt = performance.now();
    }
    if (this.stillMs > PATIENCE_MS)
      this.#fail(`no step for ${PATIENCE_MS / 1000} s:\n${this.coordinator.lastWords}`);
  }

  #fail(reason: string): void {
    this.#failure ??= new Error(`step ${this.step}: ${reason}`);
  }

  #startCoordinator(): void {
    const { config, folder, steps } = this.#options;
    this.coordinator = new Process('coordinator', [
      ...['--config', config, '--run-dir', folder, '--steps', String(steps), '--workers', '0'],
      ...['--listen', `tcp://127.0.0.1:${this.#port}`, '--http', '127.0.0.1:0'],
    ]);
    const { coordinator } = this;
    void coordinator.ended.then(async (end) => {
      if (end === 0) this.#isOver = true;
      if (this.#isOver) return this.#look();
      if (!coordinator.isDoomed)
        return this.#fail(`the coordinator ended with ${end}:\n${coordinator.lastWords}`);
      await sleep(RESTART_MS);
      if (!this.#isOver) this.#startCoordinator();
    });
  }

  #startWorker(place: Place): void {
    const args = ['--coordinator', place.proxy.address, '--cpu', '--threads', '1'];
    const worker = new Process('worker', args, place.namespace?.within);
    place.worker = worker;
    void worker.ended.then(async (end) => {
      // A coordinator that is stopped sends its workers home: exit code 0.
      if (!this.#isOver && !worker.isDoomed && end !== 0)
        return this.#fail(`a worker ended with ${end}:\n${worker.lastWords}`);
      await sleep(RESTART_MS);
      if (!this.#isOver) this.#startWorker(place);
    });
  }
}

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
