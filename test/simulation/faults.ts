import { Random } from '../../shared/random/philox.js';
import { FAILPOINTS, type FailpointName } from './failpoints.js';
import type { Machine } from './machine.js';
import type { World } from './world.js';
import type { Direction } from './connection.js';
import type { FileNode, FolderNode } from './disk.js';

export interface Plan {
  readonly numMachines: number;
  /** Plans the faults of a world. */
  into(world: World): void;
}

type Inject = (world: World, random: Random) => void;

const between = (random: Random, least: number, most: number) => least + (most - least) * random.uniform();

/** Any of those that have a worker; undefined where none has. */
function anyWorker(world: World, random: Random): Machine | undefined {
  const machines = world.machines.filter(({ worker }) => worker);
  return machines[random.below(Math.max(1, machines.length))];
}

/** It is troubled for `milliseconds`, then `relieve` ends that. */
function trouble(world: World, machine: Machine, milliseconds: number, relieve: () => void): void {
  const { timeline } = world;
  machine.numTroubles++;
  timeline.after(milliseconds, () => {
    relieve();
    machine.numTroubles--;
    machine.troubled(timeline.now);
  });
}

function crash(world: World, machine: Machine, milliseconds: number): void {
  world.count('worker killed');
  world.killWorker(machine);
  trouble(world, machine, milliseconds, () => world.startWorker(machine));
}

const workerKilled: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (machine) crash(world, machine, between(random, 50, 6000));
};

const workerFrozen: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  const process = machine?.worker?.process;
  if (!machine || !process) return;
  world.count('worker frozen');
  process.freeze();
  trouble(world, machine, between(random, 50, 14_000), () => process.wake());
};

const workerStopped: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (!machine) return;
  world.count('worker stopped');
  machine.troubled(world.timeline.now);
  const { process, stop } = machine.worker!;
  process.arrive(stop);
};

const lateJoin: Inject = (world) => {
  world.count('late join');
  world.startWorker(world.addMachine());
};

const flapping: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (!machine) return;
  world.count('flapping');
  const times = 3 + random.below(6);
  for (let nth = 0; nth < times; nth++) {
    world.timeline.after(nth * 400, () => machine.worker && crash(world, machine, between(random, 20, 300)));
  }
};

const coordinatorKilled: Inject = (world, random) => {
  if (!world.coordinator) return;
  world.count('coordinator killed');
  world.crashCoordinator(random.uniform() < 0.3);
};

const coordinatorStopped: Inject = (world) => {
  world.count('coordinator stopped');
  world.coordinator?.arrive(world.stopCoordinator);
};

const coordinatorFrozen: Inject = (world, random) => {
  const process = world.coordinator;
  if (!process) return;
  world.count('coordinator frozen');
  process.freeze();
  world.oracle.troubledCoordinator(Infinity);
  world.timeline.after(between(random, 50, 14_000), () => {
    process.wake();
    world.oracle.relieveCoordinator();
  });
};

const failpoint: Inject = (world, random) => {
  const names = Object.keys(FAILPOINTS) as FailpointName[];
  const name = names[random.below(names.length)]!;
  world.failpoints.push({
    name,
    remaining: random.below(FAILPOINTS[name]),
    powerFails: random.uniform() < 0.3,
  });
};

const cut: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  const connection = machine?.worker && world.network.connectionOf(machine.worker.identity);
  if (!machine || !connection) return;
  world.count('connection cut');
  machine.troubled(world.timeline.now);
  connection.cut();
};

const replayed: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  const connection = machine?.worker && world.network.connectionOf(machine.worker.identity);
  if (!machine || !connection) return;
  world.count('messages replayed');
  machine.troubled(world.timeline.now);
  connection.replay();
};

const partition: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (!machine) return;
  const directions: Direction[] = [['up'], ['down'], ['up', 'down']][random.below(3)] as Direction[];
  const isCut = random.uniform() < 0.5;
  world.count('partition');
  const { line } = machine;
  for (const direction of directions) line.blocked.add(direction);
  trouble(world, machine, between(random, 50, 14_000), () => {
    line.blocked.clear();
    const connection = machine.worker && world.network.connectionOf(machine.worker.identity);
    if (isCut) connection?.cut();
    for (const direction of directions) connection?.deliver(direction);
  });
};

const slowLink: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (!machine || machine.isSlow) return;
  world.count('slow link');
  const { line } = machine;
  const { latency, speed } = line;
  Object.assign(line, { latency: between(random, 50, 1500), speed: between(random, 5, 100) });
  machine.isSlow = true;
  trouble(world, machine, between(random, 500, 8000), () => {
    Object.assign(line, { latency, speed });
    machine.isSlow = false;
  });
};

const slowWorker: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (!machine || machine.isSlow) return;
  world.count('slow worker');
  const { sliceMs } = machine;
  machine.sliceMs *= between(random, 3, 150);
  machine.isSlow = true;
  trouble(world, machine, between(random, 500, 12_000), () => {
    machine.sliceMs = sliceMs;
    machine.isSlow = false;
  });
};

const damage: Inject = (world, random) => {
  const machine = anyWorker(world, random);
  if (!machine) return;
  const direction = random.uniform() < 0.5 ? 'up' : 'down';
  const what = random.uniform() < 0.4 ? 'header' : 'frame';
  world.damages.push({ machine, direction, what });
};

const fullDisk: Inject = (world, random) => {
  world.count('full disk');
  world.disk.isFull = true;
  world.timeline.after(between(random, 200, 4000), () => (world.disk.isFull = false));
};

/** A byte of the newest checkpoint changes while nobody looks. */
const rot: Inject = (world, random) => {
  const folder = world.disk.find('checkpoints');
  if (folder?.kind !== 'folder') return;
  const names = [...folder.entries.keys()].filter((entry) => entry.startsWith('step-')).sort();
  const name = names.at(-1);
  // Where no other one is good, the coordinator asks for help.
  if (!name || names.length < 2 || !world.coordinator || world.faults['rotten byte']) return;
  const files = [...(folder.entries.get(name) as FolderNode).entries.values()] as FileNode[];
  const file = files[random.below(files.length)]!;
  if (file.bytes.length === 0) return;
  world.count('rotten byte');
  const bytes = Buffer.from(file.bytes);
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  Object.assign(file, { bytes, synced: bytes, isRotten: true });
  world.count('coordinator killed');
  world.crashCoordinator(false);
};

/** Twice would be a training that has diverged. */
const brokenGradient: Inject = (world) => {
  if (!world.faults['gradient not finite']) world.brokenSlices = 1;
};

/** Each as often as it stands here. */
const KINDS: readonly Inject[] = [
  ...[workerKilled, workerKilled, workerFrozen, workerFrozen, workerStopped, lateJoin, flapping],
  ...[coordinatorKilled, coordinatorKilled, failpoint, failpoint, failpoint, failpoint, coordinatorStopped],
  ...[coordinatorFrozen, cut, cut, replayed, partition, partition, slowLink, slowWorker, damage, damage],
  ...[fullDisk, rot, brokenGradient],
];

/** The faults of a seed. @param end when all of them are over, in milliseconds */
export function injectFaults(seed: number, end: number): Plan {
  const random = new Random(seed, 1000, 4, 0);
  const numMachines = 1 + random.below(random.uniform() < 0.2 ? 6 : 3);
  return {
    numMachines,
    into(world) {
      const isStorm = random.uniform() < 0.1;
      const numFaults = isStorm ? 8 + random.below(16) : 1 + random.below(7);
      const horizon = isStorm ? end / 2 : between(random, 1000, 8000);
      for (let nth = 0; nth < numFaults; nth++) {
        const inject = KINDS[random.below(KINDS.length)]!;
        world.timeline.after(horizon * random.uniform(), () => !world.isDone && inject(world, random));
      }
    },
  };
}
