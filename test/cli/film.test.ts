import assert from 'node:assert/strict';
import test from 'node:test';
import { Film } from '../../cli/film.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { stageMapOf } from '../../shared/model/description.js';
import { Sampler } from '../../shared/model/sample.js';
import { KINDS } from '../model/kinds.js';
import { tinyModel, type TinyModel } from '../model/tiny-model.js';

const D = 32;
const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });

/** A film of samples, and the samples. */
async function record(model: TinyModel, policy: Int32Array, numFrames: number, count: number) {
  const { config, description, parameters } = model;
  const film = new Film(policy.length, numFrames, stageMapOf(config, description.numClasses));
  const sampler = await Sampler.create(engine, description, config, 2);
  const call = { parameters, seed: 3, first: 0, count, policy };
  const samples = await sampler.run({ ...call, onStep: film.onStep.bind(film) });
  return { films: film.films, samples };
}

test('a film goes from the empty state to the sample, through what was known after each call', async () => {
  const policy = naivePolicy(D, 5);
  const { films, samples } = await record(tinyModel(), policy, 6, 3);
  assert.equal(films.length, 3);
  films.forEach((film, i) => {
    const known = film.map(({ known }) => known.reduce((sum, value) => sum + value, 0));
    assert.deepEqual(known, [0, ...policy.slice(1), D]);
    const sample = samples.subarray(i * D, (i + 1) * D);
    for (const state of film) state.classes.forEach((x, v) => assert.ok(!state.known[v] || x === sample[v]));
  });
});

test('fewer frames are spread evenly, the empty and the finished one among them', async () => {
  const { films } = await record(tinyModel(), naivePolicy(D, 32), 5, 1);
  const known = films[0]!.map(({ known }) => known.reduce((sum, value) => sum + value, 0));
  assert.deepEqual(known, [0, 8, 16, 24, 32]);
});

test('a class with digits to come is shown as the smallest that it may become', async () => {
  const model = KINDS['stages with classes of their own']!;
  const { films, samples } = await record(model, naivePolicy(8, 1, 3), 4, 1);
  const shown = films[0]!.slice(1).map(({ classes }) => [...classes]);
  assert.deepEqual(
    shown,
    [4, 2, 1].map((unit) => [...samples].map((x) => x - (x % unit))),
  );
});
