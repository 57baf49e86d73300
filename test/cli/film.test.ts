import assert from 'node:assert/strict';
import test from 'node:test';
import { filmOf } from '../../cli/film.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { drawOrder } from '../../shared/method/orders.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { Sampler } from '../../shared/model/sample.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { tinyModel } from '../model/tiny-model.js';

const D = 32;
const model = tinyModel();
const { config, description, parameters } = model;

test('a film shows what the sampler had after each call, scaled to 0..255, and grey where it had nothing', async () => {
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const sampler = await Sampler.create(engine, description, config, 2);
  const policy = naivePolicy(D, 5);
  const samples = await sampler.run({ parameters, seed: 3, first: 0, count: 2, policy });

  const randoms = [0, 1].map((i) => stream(3, PURPOSE.sample, i));
  const orders = randoms.map((random) => drawOrder(random, D));
  const states = [new Array<number>(2 * D).fill(128)];
  const generation = { parameters, policy, orders, noise: (nth: number) => randoms[nth]!.gumbel() };
  await sampler.generate({
    ...generation,
    onStep: (j, examples) =>
      states.push(
        Array.from(examples, (value, v) =>
          orders[Math.floor(v / D)]![v % D]! < (policy[j + 1] ?? D) ? Math.round((value * 255) / 4) : 128,
        ),
      ),
  });
  const expected = [0, 1].flatMap((i) => states.flatMap((state) => state.slice(i * D, (i + 1) * D)));
  assert.deepEqual([...filmOf(samples, description, 3, policy, 6)], expected);
});

test('fewer frames are spread evenly, the empty and the finished picture among them', () => {
  const samples = new Uint8Array(D).fill(4);
  const film = filmOf(samples, description, 0, naivePolicy(D, 32), 5);
  const known = Array.from({ length: 5 }, (_, frame) =>
    film.subarray(frame * D, (frame + 1) * D).reduce((sum, value) => sum + Number(value === 255), 0),
  );
  assert.deepEqual(known, [0, 8, 16, 24, 32]);
});
