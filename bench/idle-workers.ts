// Workers that compute nothing, all in this process, each with a socket of its own: node idle-workers.js ADDRESS COUNT [MS]
// MS: how long each takes to compute a slice.
import { randomUUID } from 'node:crypto';
import { machineClock } from '../shared/clock.js';
import { linuxSharedMemory } from '../shared/exchange/linux-shared-memory.js';
import { leaveAtOnce } from '../shared/leave-at-once.js';
import { MAX_HEADER_BYTES } from '../shared/protocol/codec.js';
import { DealerLink } from '../worker/coordinator-link.js';
import { WorkerClient } from '../worker/worker.js';
import { IdleLanes } from './idle-lanes.js';

const [coordinator, count, milliseconds] = process.argv.slice(2);
const clients = Array.from({ length: Number(count) }, () =>
  new WorkerClient({
    coordinator: coordinator!,
    identity: randomUUID(),
    connect: (address, identity) => new DealerLink(address, identity, (64 << 20) + MAX_HEADER_BYTES),
    clock: machineClock,
    lanes: new IdleLanes(milliseconds === undefined ? undefined : Number(milliseconds)),
    local: undefined,
    memory: linuxSharedMemory(),
    connectTimeoutSeconds: 60,
    say: () => undefined,
    stopping: { name: 'SIGTERM', exitCode: 143, onStop: () => undefined },
  }).run(),
);
await Promise.all(clients);
leaveAtOnce(0);
