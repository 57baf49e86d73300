import assert from 'node:assert/strict';
import test from 'node:test';
import { config, model } from '../simulation/setup.js';
import { Replica } from '../../shared/optimizer/replica.js';
import { Lanes } from '../../worker/lanes.js';

const failed = (error: Error) => assert.fail(error);

test('on the CPU there is a lane for each thread, also where nobody asked for the CPU', async () => {
  for (const choice of [{ cpu: true }, { provider: 'cpu' as const }]) {
    const lanes = await Lanes.start(3, choice, failed);
    assert.equal(lanes.count, 3);
    assert.equal(lanes.device.provider, 'cpu');
    assert.match(lanes.device.description, /^onnxruntime .*, cpu, 1 thread$/);
    assert.ok(lanes.device.repeatable);
    await lanes.close();
  }
});

test('an engine that is not there is told of in words', async () => {
  await assert.rejects(Lanes.start(2, { gpu: 900, provider: 'cuda' }, failed), {
    name: 'UserError',
    message: /There is no GPU 900 to compute on\. Tried:/,
  });
});

const { shape, numClasses, numParameters, numSteps } = model;
const { memory } = new Replica(numParameters, numSteps);
const loaded = { config, shape, numClasses, numTestExamples: 1, memory };
const parent = { step: 0, parent: { level: 1, index: 0 } };

test('jobs run on free lanes, urgent ones first, and those that none has begun can be forgotten', async () => {
  const lanes = await Lanes.start(1, { cpu: true }, failed);
  await lanes.load(loaded);
  const order: string[] = [];
  const merge = (name: string, urgent: boolean) => {
    const [left, right] = [new SharedArrayBuffer(16), new SharedArrayBuffer(16)];
    new Float32Array(right).fill(2);
    return lanes.run('merge', { ...parent, left, right }, urgent).then(() => {
      order.push(name);
      return new Float32Array(left)[3];
    });
  };
  const [first, second, third] = [merge('first', false), merge('second', false), merge('urgent', true)];
  assert.deepEqual(await Promise.all([first, second, third]), [2, 2, 2]);
  assert.deepEqual(order, ['first', 'urgent', 'second']);

  const begun = merge('begun', false);
  void merge('forgotten', false);
  lanes.clear();
  await begun;
  await merge('later', false);
  assert.deepEqual(order.slice(3), ['begun', 'later']);
  await lanes.close();
});

test('a job that fails rejects, and its lane goes on', async () => {
  const lanes = await Lanes.start(1, { cpu: true }, failed);
  await assert.rejects(
    lanes.run('task', { task: { kind: 'sample', task: 0, first: 0, count: 1 }, examples: undefined }),
    /./,
  );
  await lanes.load(loaded);
  const [left, right] = [new SharedArrayBuffer(16), new SharedArrayBuffer(16)];
  await lanes.run('merge', { ...parent, left, right });
  await lanes.close();
});
