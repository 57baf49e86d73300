import assert from 'node:assert/strict';
import test from 'node:test';
import type { Engine } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { drawOrder } from '../../shared/method/orders.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { embedTimeStep } from '../../shared/method/time-embedding.js';
import { ExampleGenerator } from '../../shared/model/generator.js';
import { outputsProgram } from '../../shared/model/program.js';
import { drawnWith, Sampler } from '../../shared/model/sample.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { recordingEngine, tinyModel } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const { config, description, parameters } = tinyModel();
const create = (on: Engine = engine, batch = 4) => Sampler.create(on, description, config, batch);

test('a budget of n calls the network n times, at the times of the policy', async () => {
  for (const budget of [1, 5, 32]) {
    const { engine: recorder, calls } = recordingEngine();
    const sampler = await create(recorder);
    const policy = naivePolicy(32, budget);
    const samples = await sampler.run({ parameters, seed: 0, first: 0, count: 3, policy });
    assert.equal(samples.length, 3 * 32);
    assert.equal(calls.length, budget);
    calls.forEach(({ mask, time }, j) => {
      const expected = new Float32Array(8);
      embedTimeStep(policy[j]!, 32, expected);
      assert.deepEqual(time!.slice(0, 8), expected);
      const known = (mask as Float32Array).slice(0, 32).reduce((sum, value) => sum + value, 0);
      assert.equal(known, policy[j]);
    });
  }
});

test('an example does not depend on how a count is cut', async () => {
  const sampler = await create();
  const policy = naivePolicy(32, 6);
  const samples = async (first: number, count: number) => [
    ...(await sampler.run({ parameters, seed: 5, first, count, policy })),
  ];
  const all = await samples(0, 10);
  assert.ok(all.every((value) => value < 5));
  for (const cuts of [
    [0, 4, 8, 10],
    [0, 3, 6, 9, 10],
    [0, 1, 2, 9, 10],
  ]) {
    const parts = [];
    for (let i = 1; i < cuts.length; i++)
      parts.push(...(await samples(cuts[i - 1]!, cuts[i]! - cuts[i - 1]!)));
    assert.deepEqual(parts, all);
  }
  const examples = Array.from({ length: 10 }, (_, i) => all.slice(32 * i, 32 * (i + 1)).join());
  assert.equal(new Set(examples).size, 10);
  const other = await sampler.run({ parameters, seed: 6, first: 0, count: 10, policy });
  assert.notDeepEqual([...other], all);
});

test('each variable is drawn once, at its rank, as in a direct reading of the procedure', async () => {
  const generator = await ExampleGenerator.create(engine, description, config, 2);
  const executable = await engine.compile(outputsProgram(description, config, 2));
  const random = stream(9, PURPOSE.sample);
  const orders = [drawOrder(random, 32), drawOrder(random, 32)];
  const noises = Float64Array.from({ length: 2 * 32 * 5 }, () => random.gumbel());
  const noise = (nth: number, variable: number, k: number) => noises[(nth * 32 + variable) * 5 + k]!;

  const x = [new Array<number>(32).fill(2), new Array<number>(32).fill(2)];
  const outputs = new Float32Array(2 * 32 * 5);
  for (let t = 0; t < 32; t++) {
    const inputs = { classes: new Int32Array(64), mask: new Float32Array(64), time: new Float32Array(16) };
    for (const nth of [0, 1]) {
      embedTimeStep(t, 32, inputs.time.subarray(8 * nth, 8 * nth + 8));
      for (let v = 0; v < 32; v++) {
        const place = nth * 32 + (v % 2) * 16 + (v >> 1);
        inputs.mask[place] = orders[nth]![v]! < t ? 1 : 0;
        inputs.classes[place] = x[nth]![v]!;
      }
    }
    await executable.run({ parameters, inputs, outputs: { outputs } });
    for (const nth of [0, 1]) {
      const v = orders[nth]!.indexOf(t);
      const perturbed = [0, 1, 2, 3, 4].map(
        (k) => outputs[((nth * 2 + (v % 2)) * 5 + k) * 16 + (v >> 1)]! + noise(nth, v, k),
      );
      x[nth]![v] = perturbed.indexOf(Math.max(...perturbed));
    }
  }

  const seen: number[] = [];
  const generated = await generator.run({
    parameters,
    policy: naivePolicy(32, 32),
    orders: orders.map((order) => [order]),
    choose: drawnWith((nth, _, variable) => ({
      gumbel: (k) => noise(nth, variable, k),
      uniform: () => assert.fail(),
    })),
    onStep: (j) => seen.push(j),
  });
  assert.deepEqual([...generated], x.flat());
  assert.deepEqual(seen, [...Array(32).keys()]);
});
