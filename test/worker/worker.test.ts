import assert from 'node:assert/strict';
import test from 'node:test';
import { fromWorkerSchema, type FromWorker } from '../../shared/protocol/messages.js';
import { version } from '../../shared/package.js';
import { decode, encode } from '../../shared/protocol/codec.js';
import type { CoordinatorLink } from '../../worker/coordinator-link.js';
import { WorkerClient } from '../../worker/worker.js';
import { SimulatedLanes } from '../simulation/lanes.js';
import { SimulatedProcess } from '../simulation/process.js';
import { config, digest, model } from '../simulation/setup.js';
import { Timeline } from '../simulation/timeline.js';

/** A link that remembers what was said, and from which the worker hears what the test says. */
class ScriptedLink implements CoordinatorLink {
  readonly said: FromWorker[] = [];
  closed = false;
  #hear: (parts: readonly Uint8Array[]) => void = () => undefined;

  say(header: object): void {
    this.#hear(encode(header));
  }

  receive(): Promise<readonly Uint8Array[]> {
    return new Promise((resolve) => (this.#hear = resolve));
  }

  post(parts: Uint8Array[]): void {
    this.said.push(decode(fromWorkerSchema, parts).header);
  }

  flush = () => Promise.resolve();

  close(): void {
    this.closed = true;
  }
}

/** A client on a simulated lane, which takes so many milliseconds for a model. */
function startWorker(modelMilliseconds: number) {
  const timeline = new Timeline();
  const process = new SimulatedProcess(timeline, 'worker');
  const links: ScriptedLink[] = [];
  const lanes = new SimulatedLanes(process, 1, (kind) => (kind === 'model' ? modelMilliseconds : 1), {
    began: () => undefined,
    applied: () => undefined,
    isBroken: () => false,
  });
  const worker = new WorkerClient({
    coordinator: 'tcp://scripted:1',
    identity: 'worker',
    connect: () => links[links.push(new ScriptedLink()) - 1]!,
    clock: process.clock,
    lanes,
    local: undefined,
    memory: undefined,
    connectTimeoutSeconds: 600,
    say: () => undefined,
    stopping: { name: 'SIGTERM', exitCode: 143, onStop: () => undefined },
    gpu: () => ({ use: 0.5 }),
  });
  /** Or until nothing is planned any more. */
  const until = async (milliseconds: number) => {
    while (timeline.now < milliseconds && (await timeline.advance()));
  };
  return { worker, links, until };
}

const welcome = {
  ...{ type: 'welcome', run: 'r', term: 1, slot: 0, config, shape: model.shape },
  ...{ numClasses: model.numClasses, numTestExamples: 6, model: digest, codec: 'float32' },
};

test('a worker whose lane has something to finish first says that it lives, and takes nobody for silent', async () => {
  const { worker, links, until } = startWorker(60_000);
  void worker.run();
  await until(150);
  const [link] = links as [ScriptedLink];
  assert.deepEqual(
    link.said.map((header) => header.type === 'hello' && header.version),
    [version],
  );
  link.say(welcome);
  await until(30_000);
  const later = link.said.slice(1).map(({ type }) => type);
  assert.equal(links.length, 1, 'it does not connect anew');
  assert.deepEqual(new Set(later), new Set(['alive']));
  assert.ok(later.length >= 25, `${later.length} in 30 s`);
  const [alive] = link.said.filter((header) => header.type === 'alive');
  assert.deepEqual(alive!.gpu, { use: 0.5 });
});

test('a worker that would write gradients in another way than the coordinator does not join', async () => {
  const { worker, links, until } = startWorker(1);
  const ended = worker.run();
  await until(150);
  links[0]!.say({ ...welcome, codec: 'int8 in blocks of 32' });
  const refused = assert.rejects(ended, {
    name: 'UserError',
    message: /writes gradients as float32, the coordinator as int8 in blocks of 32: install the same build/,
  });
  await until(1000);
  await refused;
  assert.deepEqual(
    links[0]!.said.map(({ type }) => type),
    ['hello'],
  );
});
