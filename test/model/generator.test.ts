import assert from 'node:assert/strict';
import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { stageMapOf } from '../../shared/model/description.js';
import { ExampleGenerator, type Chooser, type Generation } from '../../shared/model/generator.js';
import { exampleSize } from '../../shared/model/inputs.js';
import { drawOrders } from '../../shared/model/sample.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { KINDS } from './kinds.js';
import { tinyExamples } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const BATCH = 2;

for (const [name, model] of Object.entries(KINDS)) {
  const { config, description, parameters } = model;
  const { numPositions, numStages, numClasses, numContext, variablesPerPosition } = description;
  const size = exampleSize(description);
  const examples = tinyExamples(model, BATCH);
  for (let nth = 0; nth < BATCH; nth++) examples.fill(0, nth * size, nth * size + numContext);
  const { coarsen } = stageMapOf(config, numClasses);
  const orders = [3, 4].map((seed) => drawOrders(stream(seed, PURPOSE.sample), description));
  const told: Chooser = ({ nth, variable, places }, classes) =>
    places.forEach(
      ({ stage }, i) => (classes[i] = coarsen(examples[nth * size + variable + i]!, numStages - 1 - stage)),
    );
  const policy = naivePolicy(numPositions, numPositions, numStages);

  /** The examples again, and the network's outputs at each step of the policy. */
  async function run(some: Partial<Generation> = {}) {
    const generator = await ExampleGenerator.create(engine, description, config, BATCH);
    const outputs = new Map<number, Float32Array>();
    const request: Generation = { parameters, policy, orders, choose: told, ...some };
    const onStep = (j: number, _: unknown, of: Float32Array) => outputs.set(request.policy[j]!, of.slice());
    return { examples: await generator.run({ ...request, onStep }), outputs };
  }

  test(`${name}: an example that is told comes out as it is`, async () => {
    assert.deepEqual((await run()).examples, examples);
  });

  test(`${name}: what is given leaves the network's calls for the rest as they were`, async () => {
    const numGiven = Math.ceil(numPositions / 3);
    const later = policy.filter((step) => step % numPositions >= numGiven);
    const [whole, rest] = [await run(), await run({ policy: later, given: { examples, numGiven } })];
    assert.deepEqual(rest.examples, examples);
    assert.deepEqual([...rest.outputs.keys()], [...later]);
    for (const [step, outputs] of rest.outputs) assert.deepEqual(outputs, whole.outputs.get(step));
  });

  test(`${name}: positions beyond an example's end stay unknown, and those before see nothing of them`, async () => {
    const ends = [Math.floor(numPositions / 2), numPositions];
    const [whole, cut] = [await run(), await run({ ends })];
    const rankOf = (nth: number, v: number) =>
      orders[nth]![0]![Math.floor((v - numContext) / variablesPerPosition)]!;
    examples.forEach((x, i) => {
      const [nth, v] = [Math.floor(i / size), i % size];
      const isWanted = v < numContext || numStages > 1 || rankOf(nth, v) < ends[nth]!;
      if (isWanted && numStages === 1) assert.equal(cut.examples[i], x);
      if (!isWanted) assert.equal(cut.examples[i], 0);
    });
    for (const [step, outputs] of cut.outputs)
      if (step <= ends[0]!) assert.deepEqual(outputs, whole.outputs.get(step));
  });
}
