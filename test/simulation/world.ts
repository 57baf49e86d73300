import type { LoadedConfig } from '../../shared/config/load.js';
import type { CodecConfig } from '../../shared/config/schema.js';
import { Random } from '../../shared/random/philox.js';
import type { LaneRequest } from '../../worker/lane-thread.js';
import type { Connection, Direction, Line } from './connection.js';
import { runCoordinator } from './coordinator.js';
import { Disk } from './disk.js';
import type { Failpoint, FailpointName } from './failpoints.js';
import type { Operation } from './file-operations.js';
import { HostMemory } from './memory.js';
import { Machine, type Worker } from './machine.js';
import type { Mutation } from './mutation.js';
import { Network } from './network.js';
import { Oracle, type Reference } from './oracle.js';
import type { Parts } from './parts.js';
import { SimulatedProcess } from './process.js';
import { Timeline } from './timeline.js';
import { loadedWith } from './setup.js';
import { runWorker } from './worker.js';

export interface WorldOptions {
  readonly seed: number;
  readonly numMachines: number;
  /** What comes out where nothing fails; absent: this is that run. */
  readonly reference?: Reference;
  readonly mutation?: Mutation;
  /** Absent: float32. */
  readonly codec?: CodecConfig;
  readonly trace?: (line: string) => void;
}

/** Everything there is in a simulation, as a seed makes it. */
export class World {
  readonly timeline = new Timeline();
  readonly disk = new Disk();
  readonly network: Network;
  /** Of the coordinator's host; undefined: nobody is there with it. */
  readonly memory: HostMemory | undefined;
  readonly oracle: Oracle;
  readonly mutation: Mutation;
  readonly loaded: LoadedConfig;
  readonly machines: Machine[];
  /** Faults so far, by kind. */
  readonly faults: Record<string, number> = {};
  readonly syncsJournal: boolean;
  coordinator: SimulatedProcess | undefined;
  /** What SIGTERM does to it. */
  stopCoordinator: () => void = () => undefined;
  /** How the run ended; undefined while it goes on. */
  isDone = false;
  failpoints: Failpoint[] = [];
  /** Slices whose gradients come out broken once. */
  brokenSlices = 0;
  /** Messages that are damaged next. */
  /** Those that were. */
  readonly damaged = new WeakSet<Parts>();
  readonly damages: { machine: Machine; direction: Direction; what: 'header' | 'frame' }[] = [];
  readonly #random: Random;
  readonly #disk: Random;
  readonly #lanes: Random;
  readonly #hosts: Random;
  readonly #trace: ((line: string) => void) | undefined;
  #numProcesses = 0;

  constructor({ seed, numMachines, reference, mutation = {}, codec, trace }: WorldOptions) {
    const draws = (what: number) => new Random(seed, 1000, what, 0);
    this.#random = draws(0);
    this.#disk = draws(1);
    this.#lanes = draws(2);
    this.#trace = trace;
    this.mutation = mutation;
    this.loaded = loadedWith(codec ?? { kind: 'float32' });
    this.syncsJournal = this.#random.uniform() < 0.8;
    this.#hosts = draws(9);
    this.memory = this.#hosts.uniform() < 0.3 ? new HostMemory() : undefined;
    this.oracle = new Oracle(this, reference);
    this.network = new Network(this.timeline, draws(3), {
      posted: (process, parts) => this.#posted(process, parts),
      arriving: (direction, line, parts) => this.#arriving(direction, line, parts),
      received: (process, id, parts) => {
        const type = this.oracle.received(process, id, parts);
        if (type === 'gradient' || type === 'sum') this.failpoint(process, 'bucket received');
        return this.mutation.received?.(parts, process, this) ?? parts;
      },
      connected: (line) => this.trace(`${line.name} is connected`),
    });
    this.machines = Array.from({ length: numMachines }, (_, nth) => this.#newMachine(`machine-${nth}`));
  }

  trace(text: string): void {
    this.#trace?.(`${this.timeline.now.toFixed(1).padStart(9)} ${text}`);
  }

  get tracing(): boolean {
    return this.#trace !== undefined;
  }

  count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    this.trace(`FAULT ${fault}`);
  }

  milliseconds(least: number, most: number): number {
    return least + (most - least) * this.#lanes.uniform();
  }

  diskMilliseconds(): number {
    return 0.05 + 0.5 * this.#disk.uniform();
  }

  jobMilliseconds({ sliceMs }: Machine, kind: LaneRequest['kind']): number {
    const share = kind === 'slice' || kind === 'task' ? 1 : 0.03;
    return share * sliceMs * (0.8 + 0.4 * this.#lanes.uniform());
  }

  breaksSlice({ machine, process }: Worker): boolean {
    if (this.brokenSlices === 0 || !process.alive) return false;
    this.brokenSlices--;
    this.count('gradient not finite');
    machine.troubled(this.timeline.now);
    return true;
  }

  #newMachine(name: string): Machine {
    const random = this.#random;
    const latency = 0.2 + (random.uniform() < 0.3 ? 20 * random.uniform() : random.uniform());
    const speed = random.uniform() < 0.2 ? 1000 : 100_000;
    const machine = new Machine(name, { latency, speed }, 1 + random.below(2), 60 + 60 * random.uniform());
    machine.isWithCoordinator = this.memory !== undefined && this.#hosts.uniform() < 0.7;
    return machine;
  }

  addMachine(): Machine {
    const machine = this.#newMachine(`machine-${this.machines.length}`);
    this.machines.push(machine);
    return machine;
  }

  startWorker(machine: Machine): void {
    if (machine.worker || this.isDone) return;
    const name = `${machine.name}#${++this.#numProcesses}`;
    const process = new SimulatedProcess(this.timeline, name);
    const worker: Worker = { machine, process, identity: name, stop: () => undefined };
    machine.worker = worker;
    this.trace(`${name} starts`);
    void runWorker(this, worker).then(
      (exitCode) => this.#ended(worker, `exit code ${exitCode}`, exitCode === 0 || exitCode === 143),
      (error: Error) => this.#ended(worker, error.message, false),
    );
  }

  #ended(worker: Worker, how: string, isExpected: boolean): void {
    const { machine, process } = worker;
    if (!process.alive) return;
    this.trace(`${process.name} ends: ${how}`);
    if (!isExpected) this.oracle.violated(`${process.name} ended: ${how}`);
    this.killWorker(machine);
    if (!this.isDone) this.timeline.after(500, () => this.startWorker(machine));
  }

  killWorker(machine: Machine): void {
    machine.worker?.process.kill();
    machine.worker = undefined;
  }

  startCoordinator(): void {
    if (this.coordinator || this.isDone) return;
    const process = new SimulatedProcess(this.timeline, `coordinator#${++this.#numProcesses}`);
    this.coordinator = process;
    this.trace(`${process.name} starts`);
    void runCoordinator(this, process, (stop) => (this.stopCoordinator = stop)).then(
      ({ exitCode, reason }) => {
        if (!process.alive) return;
        this.isDone = reason === undefined;
        this.trace(`${process.name} ends: ${reason ?? 'done'}`);
        if (!this.isDone && exitCode !== 143 && this.faults['full disk'] === undefined)
          this.oracle.violated(`${process.name} failed: ${reason}`);
        this.killCoordinator(this.milliseconds(100, 2000));
      },
      (error: Error) => {
        if (!process.alive) return;
        this.trace(`${process.name} ends: ${error.message}`);
        if (this.faults['full disk'] === undefined)
          this.oracle.violated(`${process.name} failed: ${error.stack}`);
        this.killCoordinator(this.milliseconds(100, 2000));
      },
    );
  }

  /** Nothing more happens. */
  end(): void {
    this.isDone = true;
    for (const machine of this.machines) this.killWorker(machine);
    this.coordinator?.kill();
  }

  /** @param restartsAfter milliseconds */
  killCoordinator(restartsAfter: number): void {
    this.coordinator?.kill();
    this.coordinator = undefined;
    this.stopCoordinator = () => undefined;
    this.timeline.after(restartsAfter, () => this.startCoordinator());
  }

  replays(connection: Connection): void {
    this.count('messages replayed');
    connection.isReplayed = true;
  }

  /** Kills the coordinator's process, or the machine with it. */
  crashCoordinator(powerFails: boolean): void {
    for (const connection of this.network.connections)
      if (this.#random.uniform() < 0.1) this.replays(connection);
    this.killCoordinator(this.milliseconds(100, 4000));
    if (!powerFails || !this.syncsJournal) return;
    this.count('power failure');
    const numTorn = this.disk.fail(this.#disk);
    if (numTorn > 0) this.count('torn write');
    this.oracle.disk.failed(this.disk);
  }

  /** The coordinator passes a place where it may be killed. */
  failpoint(process: SimulatedProcess, name: FailpointName): boolean {
    if (process !== this.coordinator) return false;
    for (const failpoint of this.failpoints) {
      if (failpoint.name !== name || failpoint.remaining-- !== 0) continue;
      this.count(`killed at: ${name}`);
      this.crashCoordinator(failpoint.powerFails);
      return true;
    }
    return false;
  }

  operating(process: SimulatedProcess, operation: Operation): void {
    this.oracle.affected(process, `${operation.kind} ${operation.path}`);
    this.mutation.operating?.(operation, this.disk);
    this.oracle.disk.before(operation, this.disk);
    if (operation.kind === 'write' && operation.path === 'journal') this.failpoint(process, 'commit decided');
    if (operation.kind === 'rename' && operation.to.endsWith('latest')) this.failpoint(process, 'latest');
  }

  operated(process: SimulatedProcess, operation: Operation): void {
    const { kind, path } = operation;
    this.trace(`${process.name} ${kind} ${path}${kind === 'rename' ? ` -> ${operation.to}` : ''}`);
    this.mutation.operated?.(operation, this.disk);
    this.oracle.disk.after(operation, this.disk);
    if (kind === 'write' && path === 'journal') this.failpoint(process, 'commit noted');
    if (kind === 'sync' && path.endsWith('manifest.json')) this.failpoint(process, 'manifest written');
    if (kind === 'sync' && path === 'journal.new') this.failpoint(process, 'journal replaced');
    if (kind !== 'rename') return;
    if (/step-\d+$/.test(operation.to)) this.failpoint(process, 'renamed');
    if (/step-\d+$/.test(path)) this.failpoint(process, 'pruned');
  }

  /** How much of a write gets to the disk: less where its writer is killed meanwhile. */
  written(process: SimulatedProcess, path: string, length: number): number {
    return path === 'journal' && this.failpoint(process, 'commit half noted')
      ? this.#disk.below(length)
      : length;
  }

  /** Now and then the coordinator is killed again before anyone else holds what it fetched. */
  #workerIsAhead(): void {
    this.count('worker ahead');
    if (this.#random.uniform() < 0.2)
      this.failpoints.push({ name: 'state sent', remaining: this.#random.below(15), powerFails: false });
  }

  #posted(process: SimulatedProcess, parts: Parts): void {
    const header = this.oracle.posted(process, parts);
    if (header === 'average' || header === 'commit') this.failpoint(process, 'published');
    if (header === 'state') this.failpoint(process, 'state sent');
    if (header === 'fetch-state') this.#workerIsAhead();
  }

  #arriving(direction: Direction, line: Line, parts: Parts): Parts {
    const machine = this.machines.find(({ name }) => name === line.name)!;
    const nth = this.damages.findIndex(
      (damage) =>
        damage.machine === machine &&
        damage.direction === direction &&
        (damage.what === 'header' || parts.length > 1),
    );
    if (nth >= 0) {
      const { what } = this.damages.splice(nth, 1)[0]!;
      const frame = what === 'header' ? 0 : 1 + this.#random.below(parts.length - 1);
      if (parts[frame]!.length > 0) {
        parts[frame]![this.#random.below(parts[frame]!.length)]! ^= 1 << this.#random.below(8);
        machine.damaged = true;
        this.damaged.add(parts);
        machine.troubled(this.timeline.now);
        this.count(`damaged ${what}`);
      }
    }
    return parts;
  }
}
