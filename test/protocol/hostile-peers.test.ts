import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encode } from '../../shared/protocol/codec.js';
import { fromWorkerSchema, type FromWorker } from '../../shared/protocol/messages.js';
import { config, model } from '../simulation/setup.js';
import { ScriptedCoordinator, TERM } from './scripted-coordinator.js';

const tagged = { term: TERM, step: 0 };
const types = (messages: readonly { type: string }[]) => messages.map(({ type }) => type);

test('the script itself: a worker joins, computes a step, and it is committed', async () => {
  const scripted = await new ScriptedCoordinator().start();
  const deals = await scripted.join('a');
  assert.deepEqual(
    deals.map(({ step, begin, end }) => [step, begin, end]),
    [
      [0, 0, 4],
      [1, 0, 4],
    ],
  );
  await scripted.compute('a', deals[0]!);
  await scripted.tick(1);
  assert.equal(scripted.coordinator.step, 1);
  assert.ok(types(scripted.heard('a')).includes('commit'));
  assert.deepEqual(scripted.eventsOf('dropped'), []);
});

test('sums that were not dealt, by whatever name, take no memory and are not added', async () => {
  const scripted = await new ScriptedCoordinator().start();
  const [deal] = await scripted.join('a');
  // Their slices come out as none, or as those that were dealt, where 32-bit arithmetic is believed.
  const nodes = [
    { level: 0, index: 2 ** 32 },
    { level: 2, index: 2 ** 30 },
    { level: 30, index: 3 },
    { level: 30, index: 4 },
    { level: 0, index: 4 },
    { level: 3, index: 0 },
    { level: 0, index: 1 },
  ];
  for (const node of nodes) {
    await scripted.examples('a', 0, node).catch(() => undefined);
    await scripted.gradient('a', 0, node, 1);
  }
  assert.equal(scripted.numBuffers, 0);
  assert.deepEqual(scripted.sums, []);
  await scripted.compute('a', deal!);
  assert.deepEqual(scripted.sums, [{ level: 2, index: 0 }]);
});

test("another's slices, another step's, and what is there already are dropped", async () => {
  const scripted = await new ScriptedCoordinator().start();
  const [deal] = await scripted.join('a');
  await scripted.join('b');
  await scripted.gradient('b', 0, { level: 2, index: 0 }, 9);
  await scripted.gradient('a', 1, { level: 2, index: 0 }, 9);
  await scripted.say('b', { type: 'nonfinite', ...tagged, slice: 0, tensor: 'x' });
  await scripted.say('b', { type: 'nonfinite', ...tagged, slice: 2 ** 40, tensor: 'x' });
  await scripted.say('b', { type: 'result', ...tagged, task: 0 }, [new Uint8Array(8)]);
  await scripted.say('b', { type: 'state', ...tagged, array: 'ema', offset: 0, length: 1, crc: 0 }, [
    new Uint8Array(4),
  ]);
  await scripted.say('b', { type: 'state-end', ...tagged, chain: 'mine' });
  assert.deepEqual([scripted.numBuffers, scripted.eventsOf('nonfinite')], [0, []]);
  assert.deepEqual(scripted.eventsOf('leave'), []);
  await scripted.compute('a', deal!);
  await scripted.tick(1);
  assert.equal(scripted.coordinator.step, 1);
});

test('nobody is ready who was sent no state, or ahead of the run', async () => {
  const scripted = await new ScriptedCoordinator().start();
  await scripted.hello('a');
  for (const step of [1, 2 ** 40]) await scripted.say('a', { type: 'ready', term: TERM, step });
  assert.deepEqual(scripted.dealsTo('a'), []);
  await scripted.join('b');
  for (const step of [0, 1, 2 ** 40])
    await scripted.say('b', { type: 'applied', term: TERM, step, hash: 'x' });
  assert.deepEqual(
    scripted.coordinator.members.map(({ ready, step }) => [ready, step]),
    [
      [false, 0],
      [true, 0],
    ],
  );
});

test('messages of another term, recorded in an earlier run, change nothing', async () => {
  const scripted = await new ScriptedCoordinator().start();
  await scripted.join('a');
  const recorded: FromWorker[] = [
    { type: 'nonfinite', term: TERM - 1, step: 0, slice: 0, tensor: 'x' },
    { type: 'applied', term: TERM - 1, step: 1 },
    { type: 'ready', term: TERM - 1, step: 0 },
  ];
  const before = scripted.coordinator.members;
  for (const message of recorded) await scripted.say('a', message);
  // A hello that comes again is the same process still.
  await scripted.hello('a');
  assert.deepEqual(scripted.coordinator.members, before);
  assert.deepEqual(
    scripted.eventsOf('dropped').map(({ reason }) => reason),
    Array(3).fill('another term'),
  );
});

test('a sum with a value that is no number is dealt to someone else, and the run goes on', async () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const scripted = await new ScriptedCoordinator().start();
    const [deal] = await scripted.join('a');
    await scripted.join('b');
    await scripted.examples('a', 0, { level: 2, index: 0 });
    await scripted.gradient('a', 0, { level: 2, index: 0 }, value);
    const length = Math.min(config.workers.bucketBytes / 4, model.numParameters);
    assert.equal(scripted.eventsOf('nonfinite')[0]!.tensor, `parameters 0 to ${length - 1}`);
    const [again] = scripted.dealsTo('b');
    assert.deepEqual([again!.step, again!.begin, again!.end], [0, deal!.begin, deal!.end]);
    await scripted.compute('b', again!);
    await scripted.tick(1);
    assert.equal(scripted.coordinator.step, 1);
    assert.ok(scripted.numBuffers <= 2);
  }
});

test('a flood of noise is counted, not written down line by line, and answered no more than now and then', async () => {
  const scripted = await new ScriptedCoordinator().start();
  for (let i = 0; i < 2000; i++) {
    scripted.now += 1;
    await scripted.sayRaw('stranger', [Uint8Array.of(i)]);
    await scripted.say('stranger', { type: 'alive', doing: 'nothing' });
  }
  const told = scripted.eventsOf('dropped');
  assert.ok(told.length <= 52, `${told.length} lines`);
  await scripted.tick(10_000);
  await scripted.sayRaw('stranger', [Uint8Array.of(0)]);
  const counted = scripted.eventsOf('dropped').reduce((sum, { more = 0 }) => sum + 1 + more, 0);
  assert.equal(counted, 2001);
  assert.ok(scripted.heard('stranger').length <= 12);
});

test('a member that floods is put out with the reason', async () => {
  const scripted = await new ScriptedCoordinator().start();
  await scripted.join('a');
  for (let i = 0; i <= 20_000 && scripted.coordinator.members.length > 0; i++)
    await scripted.say('a', { type: 'alive', doing: 'x' });
  assert.equal(scripted.eventsOf('leave')[0]!.reason, 'sent more messages than there is to say');
});

test('who keeps sending what no worker sends stays out for longer each time', async () => {
  const scripted = await new ScriptedCoordinator().start();
  let attempt = 0;
  let numJoined = 0;
  for (let second = 0; second < 60; second++) {
    await scripted.tick(1000);
    const before = scripted.eventsOf('join').length;
    await scripted.hello('bad', { attempt: attempt++ });
    numJoined += scripted.eventsOf('join').length - before;
    await scripted.sayRaw('bad', [Uint8Array.of(0xc1)]);
  }
  assert.ok(numJoined >= 4 && numJoined <= 9, `${numJoined} times in a minute`);
  assert.deepEqual(scripted.coordinator.members, []);
});

test('a peer that says hello without end is heard now and then', async () => {
  const scripted = await new ScriptedCoordinator().start();
  for (let attempt = 0; attempt < 500; attempt++) await scripted.hello('a', { attempt });
  assert.ok(scripted.eventsOf('join').length <= 10);
  assert.ok(scripted.coordinator.members.length <= 1);
});

test('a peer that comes and goes without end takes a copy of the state now and then', async () => {
  const scripted = await new ScriptedCoordinator().start();
  for (let attempt = 0; attempt < 500; attempt++) {
    scripted.now += 10;
    await scripted.hello('a', { attempt });
    await scripted.say('a', { type: 'leave', reason: 'x' });
  }
  assert.equal(scripted.eventsOf('join').length, 10);
});

test('there is a number of workers beyond which none joins', async () => {
  const scripted = await new ScriptedCoordinator().start();
  for (let i = 0; i < 4097; i++) await scripted.hello(`w${i}`);
  assert.equal(scripted.coordinator.members.length, 4096);
  const [answer] = scripted.heard('w4096');
  assert.deepEqual(answer, { type: 'refuse', reason: 'there are 4096 workers already' });
});

test('a member that lives but takes nothing in is put out before the averages fill the memory', async () => {
  const scripted = await new ScriptedCoordinator().start();
  await scripted.hello('stuck');
  let deals = await scripted.join('a');
  while (scripted.coordinator.members.length > 1 && scripted.coordinator.step < 1100) {
    const { step } = scripted.coordinator;
    await scripted.compute(
      'a',
      deals.find((deal) => deal.step === step)!,
    );
    await scripted.say('stuck', { type: 'alive', doing: 'nothing' });
    await scripted.say('a', { type: 'applied', term: TERM, step: step + 1 });
    assert.equal(scripted.coordinator.step, step + 1);
    deals = [...deals.slice(-1), ...scripted.dealsTo('a')];
  }
  assert.equal(scripted.eventsOf('leave')[0]!.reason, 'is more than 1024 steps behind');
  assert.equal(scripted.coordinator.step, 1025);
});

test('refusals are told once a minute, with how many there were', async () => {
  const scripted = await new ScriptedCoordinator().start();
  for (let second = 0; second < 90; second++) {
    scripted.watch.refused(`someone at ${second} s`);
    await scripted.tick(1000);
  }
  assert.deepEqual(
    scripted.eventsOf('refused').map(({ reason, more }) => [reason, more]),
    [
      ['someone at 0 s', 0],
      ['someone at 60 s', 59],
    ],
  );
  assert.equal(scripted.coordinator.numRefused, 90);
});

test('whatever a member or a stranger says, in whatever order, the coordinator goes on', async () => {
  const whole = fc.oneof(fc.nat(5), fc.constantFrom(2 ** 30, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER));
  const message = fc.record(
    {
      type: fc.constantFrom(...fromWorkerSchema.options.map((option) => option.shape.type.value)),
      term: fc.constantFrom(TERM, TERM, TERM, 0),
      step: whole,
      level: fc.nat(30),
      index: whole,
      offset: whole,
      length: whole,
      crc: whole,
      slice: whole,
      task: whole,
      attempt: whole,
      array: fc.constantFrom('parameters', 'ema', 'components'),
    },
    { requiredKeys: ['type', 'term', 'step'] },
  );
  const frames = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), message, frames), { maxLength: 40 }),
      async (said) => {
        const scripted = await new ScriptedCoordinator().start();
        await scripted.join('a');
        await scripted.join('good');
        for (const [id, fields, payload] of said) {
          const { shape } = fromWorkerSchema.options.find(
            (option) => option.shape.type.value === fields.type,
          )!;
          const known = Object.entries(fields).filter(([name]) => name in shape);
          const others = { tensor: 'x', chain: 'x', reason: 'x', doing: 'x' };
          const needed = Object.entries(others).filter(([name]) => name in shape);
          await scripted.sayRaw(id, encode(Object.fromEntries([...known, ...needed]), payload));
        }
        assert.deepEqual(scripted.eventsOf('failed'), []);
        assert.ok(
          scripted.coordinator.members.some(({ slot }) => slot === 1),
          'the other worker is there still',
        );
      },
    ),
    { numRuns: 150, seed: 6 },
  );
});
