import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { machineClock } from '../shared/clock.js';
import { EXIT } from '../shared/errors.js';
import { linuxSharedMemory } from '../shared/exchange/linux-shared-memory.js';
import { givenWorkerKeys } from '../shared/keys/given.js';
import { gpuPrefix } from '../shared/launch/gpu-lines.js';
import { leaveAtOnce } from '../shared/leave-at-once.js';
import { version } from '../shared/package.js';
import { MAX_HEADER_BYTES } from '../shared/protocol/codec.js';
import { StopSignals } from '../shared/stop-signals.js';
import { DealerLink } from './coordinator-link.js';
import { allGpus, runFleet } from './fleet.js';
import { GpuMeter, gpuNameOf } from './gpu-meter.js';
import { serveMetrics } from './http.js';
import { Lanes } from './lanes.js';
import { createWorkerMetrics } from './metrics.js';
import { parseOptions } from './options.js';
import { takeKeysFromInput } from './standard-input.js';
import { WorkerClient } from './worker.js';

/** The `ardm-worker` process. Resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if ('exitCode' in options) return options.exitCode;
  if (options.stdin) await takeKeysFromInput();
  if (options.gpus !== undefined) {
    return runFleet(options.gpus === 'all' ? allGpus() : options.gpus, {
      program: process.argv[1]!,
      args: argv.filter((argument) => argument !== '--stdin'),
      env: process.env,
      say: (gpu, line) =>
        process.stderr.write(`${gpu === undefined ? 'ardm-worker:' : gpuPrefix(gpu)} ${line}\n`),
    });
  }
  const keys = givenWorkerKeys(options.keys);
  const say = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const local = process.env.ARDM_LOCAL === undefined ? undefined : Number(process.env.ARDM_LOCAL);
  // Ctrl-C reaches the whole process group: a local worker leaves it to its coordinator, which saves first.
  const stopping = new StopSignals(local === undefined ? ['SIGINT', 'SIGTERM'] : ['SIGTERM']);
  if (local !== undefined) process.on('SIGINT', () => undefined);
  process.on('disconnect', () => leaveAtOnce(EXIT.failure));

  const threads = options.threads ?? availableParallelism();
  const lanes = await Lanes.start(threads, options, (error) => {
    process.stderr.write(`ardm-worker: a lane died: ${error.message}\n`);
    leaveAtOnce(EXIT.failure);
  });
  const meter = lanes.device.provider === 'cuda' ? new GpuMeter(gpuNameOf(options.gpu ?? 0)) : undefined;
  const metrics = createWorkerMetrics({
    version,
    device: lanes.device,
    lanes: lanes.count,
    gpu: () => meter?.use,
  });
  if (options.http !== undefined)
    say(`metrics at ${(await serveMetrics(options.http, metrics.registry)).url}/metrics`);
  return new WorkerClient({
    coordinator: options.coordinator,
    identity: randomUUID(),
    connect: (address, identity, refused) =>
      new DealerLink(address, identity, (64 << 20) + MAX_HEADER_BYTES, keys, refused),
    clock: machineClock,
    lanes,
    local,
    memory: linuxSharedMemory(),
    joined: (slot) => {
      metrics.joined(slot);
      process.send?.('joined');
    },
    connectTimeoutSeconds: options.connectTimeoutSeconds,
    say,
    stopping,
    gpu: () => meter?.use,
    observer: metrics,
  }).run();
}
