import { WorkerClient } from '../../worker/worker.js';
import { SimulatedLanes } from './lanes.js';
import { WorkerEnd } from './network.js';
import type { Worker } from './machine.js';
import type { World } from './world.js';

/** A worker process from its start to its end: the real client on simulated lanes. Resolves with its exit code. */
export function runWorker(world: World, worker: Worker): Promise<number> {
  const { process, machine } = worker;
  const { oracle } = world;
  const lanes = new SimulatedLanes(process, machine.lanes, (kind) => world.jobMilliseconds(machine, kind), {
    began: (kind) => {
      if (kind === 'apply') oracle.applying(worker);
      if (kind !== 'model') oracle.affected(process, `a lane began ${kind}`);
    },
    applied: (step, replica) => oracle.applied(worker, step, replica),
    isBroken: () => world.breaksSlice(worker),
  });
  const client = new WorkerClient({
    coordinator: 'tcp://simulated:1',
    identity: worker.identity,
    connect: (_, identity) => {
      oracle.connects(worker);
      return new WorkerEnd(world.network, process, machine.line, identity);
    },
    clock: process.clock,
    lanes: world.mutation.lanes?.(lanes) ?? lanes,
    local: undefined,
    memory: machine.isWithCoordinator ? world.memory?.of(process) : undefined,
    connectTimeoutSeconds: 1e6,
    say: (line) => oracle.said(worker, line),
    stopping: {
      name: 'SIGTERM',
      exitCode: 143,
      onStop: (stop) => void (worker.stop = stop),
    },
  });
  return client.run();
}
