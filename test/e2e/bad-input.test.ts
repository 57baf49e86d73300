import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Router } from 'zeromq';
import { encode } from '../../shared/protocol/codec.js';
import { temporaryFolder } from '../data/temporary.js';
import { HandMadePeer } from './hand-made-peer.js';
import { Command, Run } from './processes.js';
import { checkpoints, join, start, tinyRun } from './tiny-run.js';

/** The process ends with the code and says so in words, without a stack trace. */
async function assertEnds(command: Command, exitCode: number, words: RegExp): Promise<void> {
  assert.equal(await command.exit(), exitCode, command.stderr);
  assert.match(command.stderr, words);
  assert.doesNotMatch(command.stderr, /^\s+at /m, 'a stack trace');
}

test('wrong flags and configs end with 2 and leave nothing behind', async (t) => {
  const home = await temporaryFolder(t);
  const bad = path.join(home, 'bad.yaml');
  writeFileSync(bad, 'name: x\ndata: { set: mnist }\ntraning: { steps: 1 }\n');
  const table: ['coordinator' | 'worker' | 'cli', string[], RegExp][] = [
    ['coordinator', [], /--config FILE is missing/],
    ['coordinator', ['--config', 'no-such.yaml'], /no-such\.yaml/],
    ['coordinator', ['--config', 'mnist.yaml', '--steps', 'ten'], /--steps/],
    ['coordinator', ['--config', bad], /bad\.yaml:3:1: .*traning.*training/],
    [
      'coordinator',
      ['--config', 'mnist.yaml', '--listen', 'tcp://*:0'],
      /whoever reaches that port.*--insecure/,
    ],
    ['worker', ['--gpu', '0', '--cpu'], /--gpu.*--cpu|--cpu.*--gpu/],
    ['cli', ['sampel'], /sampel/],
  ];
  for (const [name, args, words] of table)
    await assertEnds(new Command(t, name, args, { cwd: home }), 2, words);
  assert.deepEqual(readdirSync(home), ['bad.yaml']);
});

test('a port that is taken ends a second coordinator, and the first goes on', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder);
  const address = await first.address();
  const args = ['--config', config, '--run-dir', `${folder}-2`, '--listen', address, '--http', '127.0.0.1:0'];
  await assertEnds(new Command(t, 'coordinator', args), 1, /cannot listen on .*--listen/);
  const { http } = await first.event('listen');
  const args2 = ['--config', config, '--run-dir', `${folder}-3`, '--listen', 'tcp://127.0.0.1:0'];
  const taken = http.replace('http://', '');
  await assertEnds(
    new Command(t, 'coordinator', [...args2, '--http', taken]),
    1,
    /cannot serve the page and metrics on/,
  );
  assert.equal(first.child.exitCode, null);
});

test('a worker without a coordinator gives up with the address that it tried', async (t) => {
  const args = ['--coordinator', 'tcp://127.0.0.1:9', '--cpu', '--threads', '1', '--connect-timeout', '1'];
  await assertEnds(
    new Command(t, 'worker', args),
    1,
    /no coordinator answered at tcp:\/\/127\.0\.0\.1:9 for 1 s/,
  );
});

test('a worker whose metrics cannot be served ends, and says where they could', async (t) => {
  const busy = createServer().listen(0, '127.0.0.1');
  t.after(() => busy.close());
  await once(busy, 'listening');
  const { port } = busy.address() as AddressInfo;
  const http = `127.0.0.1:${port}`;
  const worker = new Command(t, 'worker', ['--cpu', '--threads', '1', '--http', http]);
  await assertEnds(worker, 1, /cannot serve the worker's metrics on 127.*EADDRINUSE.*--http HOST:PORT/);
});

test('a worker that is refused ends with the reason', async (t) => {
  const router = new Router({ linger: 0 });
  t.after(() => router.close());
  await router.bind('tcp://127.0.0.1:0');
  const worker = new Command(t, 'worker', ['--coordinator', router.lastEndpoint!, '--cpu', '--threads', '1']);
  const [identity] = await router.receive();
  await router.send([identity!, ...encode({ type: 'refuse', reason: 'install the same version on both' })]);
  await assertEnds(worker, 1, /refused by the coordinator: install the same version/);
});

test('a coordinator refuses a worker of another version, and says which', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const peer = new HandMadePeer(t, await run.address());
  await peer.hello({ version: '0.0.1' });
  assert.match((await peer.hear('refuse')).reason, /the worker runs ardm 0\.0\.1, this coordinator/);
  assert.match((await run.event('dropped')).reason, /0\.0\.1/);
  assert.deepEqual(run.events('join'), []);
});

test('a worker that builds another model ends with advice', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const peer = new HandMadePeer(t, await run.address());
  await peer.hello();
  const welcome = await peer.hear('welcome');
  const router = new Router({ linger: 0 });
  t.after(() => router.close());
  await router.bind('tcp://127.0.0.1:0');
  const worker = new Command(t, 'worker', ['--coordinator', router.lastEndpoint!, '--cpu', '--threads', '1']);
  const [identity] = await router.receive();
  await router.send([identity!, ...encode({ ...welcome, model: 'another' })]);
  await assertEnds(worker, 1, /another model.*install the same build/);
});

test('a coordinator that was stopped leaves once its workers have hung up', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder);
  const peer = new HandMadePeer(t, await run.address());
  await peer.hello();
  await peer.hear('state-end');
  run.kill('SIGINT');
  assert.equal((await peer.hear('stop')).reason, 'SIGINT');
  await sleep(300);
  assert.equal(run.child.exitCode, null, 'it waits');
  peer.hangUp();
  assert.equal(await run.exit(), 130, run.stderr);
});

test('noise on the wire is counted, and the run goes on', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '4']);
  const peer = new HandMadePeer(t, await run.address());
  await peer.sayRaw([Buffer.from('GET / HTTP/1.1')]);
  await peer.sayRaw([Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)]);
  await peer.sayRaw([Buffer.alloc(2 << 20, 0xc1)]);
  await peer.say({ type: 'ready', term: 1, step: 0 });
  assert.match((await peer.hear('rejoin')).reason, /does not know this worker/);
  await join(t, run);
  assert.equal(await run.exit(), 0, run.stderr);
  assert.equal(run.events('dropped').filter(({ message }) => message === 'unreadable').length, 3);
});

test('a gradient that is not finite is refused by name and its slices are dealt to someone else', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--steps', '6', '--set', 'workers.minimum=2']);
  const peer = new HandMadePeer(t, await run.address());
  await peer.hello();
  const { term } = await peer.hear('welcome');
  await peer.hear('state-end');
  const worker = await join(t, run);
  await run.event('join', ({ pid }) => pid === worker.child.pid);
  await peer.say({ type: 'ready', term, step: 0 });
  const { step, begin } = await peer.hear('deal');
  await peer.say({ type: 'nonfinite', term, step, slice: begin, tensor: 'conv_out/kernel' });
  assert.equal((await run.event('nonfinite')).tensor, 'conv_out/kernel');
  assert.match((await run.event('redeal')).reason, /the gradient of conv_out\/kernel is not finite/);
  await peer.say({ type: 'leave', reason: 'enough' });
  const other = await join(t, run);
  assert.equal(await run.exit(), 0, run.stderr);
  assert.equal(await other.exit(), 0);
});

test('training that diverges ends with the step, the slice and advice, and keeps its checkpoint', async (t) => {
  const { config, folder } = await tinyRun(t);
  const wild = ['--set', 'training.learningRate=10', '--set', 'training.weightDecay=1'];
  const run = start(t, config, folder, [
    '--workers',
    '1',
    ...wild,
    '--steps',
    '400',
    '--set',
    'evaluation.everySteps=0',
  ]);
  await assertEnds(
    run,
    1,
    /step \d+, slice \d+: the gradient of .* is not finite, twice.*training\.learningRate/s,
  );
  assert.ok((await checkpoints(t, folder)).length > 0);
});

test('too few workers end the run with 3 and the number missing', async (t) => {
  const { config, folder } = await tinyRun(t);
  const run = start(t, config, folder, ['--set', 'workers.waitSeconds=0.5', '--set', 'workers.minimum=2']);
  await assertEnds(run, 3, /0 of at least 2 workers ready for 0\.5 s \(workers\.waitSeconds\)/);
});

test('the checkpoint of another config is not resumed, and stays', async (t) => {
  const { config, folder } = await tinyRun(t);
  const first = start(t, config, folder, ['--workers', '1', '--steps', '2']);
  assert.equal(await first.exit(), 0, first.stderr);
  const before = await checkpoints(t, folder);
  const second = start(t, config, folder, ['--workers', '1', '--set', 'seed=7']);
  assert.notEqual(await second.exit(), 0);
  assert.match(second.stderr, /seed.*--resume never/s);
  assert.deepEqual(await checkpoints(t, folder), before);
});

test('a broken image in a folder of images is named', async (t) => {
  const home = await temporaryFolder(t);
  const images = path.join(home, 'images');
  mkdirSync(images);
  writeFileSync(path.join(images, 'broken.png'), 'no picture');
  const run = new Run(t, path.join(home, 'run'), [
    ...['--config', 'mnist.yaml', '--set', 'data.set=folder', '--set', `data.folder=${images}`],
  ]);
  await assertEnds(run, 1, /broken\.png/);
});
