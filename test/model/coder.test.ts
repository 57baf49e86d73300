import assert from 'node:assert/strict';
import test from 'node:test';
import { CodingError } from '../../shared/coding/error.js';
import type { Engine } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { UserError } from '../../shared/errors.js';
import { stageAndTime } from '../../shared/method/bound.js';
import { naivePolicy, policyRange } from '../../shared/method/policy.js';
import { ExampleCoder } from '../../shared/model/coder.js';
import { Evaluator } from '../../shared/model/evaluate.js';
import { exampleSize } from '../../shared/model/inputs.js';
import { drawOrders } from '../../shared/model/sample.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { KINDS } from './kinds.js';
import { tinyExamples, type TinyModel } from './tiny-model.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const [BATCH, COUNT, SEED] = [2, 3, 7];
const random = stream(1, PURPOSE.sample);

const coderOf = ({ config, description }: TinyModel, on: Engine = engine) =>
  ExampleCoder.create(on, description, config, BATCH);

/** Calls at some steps, the first of each stage among them. */
function randomPolicy({ description: { numPositions, numStages } }: TinyModel): Int32Array {
  const steps = Array.from({ length: numStages * numPositions }, (_, step) => step);
  return Int32Array.from(steps.filter((step) => step % numPositions === 0 || random.below(3) === 0));
}

/** 1 for the variables of some positions of each example. */
function randomAbsent({ description }: TinyModel, count: number): Uint8Array {
  const { numContext, variablesPerPosition } = description;
  const size = exampleSize(description);
  const absent = new Uint8Array(count * size);
  for (let i = 0; i < count; i++)
    for (let v = numContext; v < size; v += variablesPerPosition)
      absent.fill(random.below(2), i * size + v, i * size + v + variablesPerPosition);
  return absent;
}

/** -log2 p(x | order, policy) of the first examples, a batch of them, by the evaluator. */
async function bitsOf(model: TinyModel, examples: Uint8Array | Uint16Array, policy: Int32Array) {
  const { description, config, parameters } = model;
  const { numPositions, numStages, numVariables, numSteps } = description;
  const orders = drawOrders(stream(SEED, PURPOSE.codingOrder), description);
  const evaluator = await Evaluator.create(engine, description, config, BATCH);
  const bits = new Float64Array(BATCH);
  for (const [j, begin] of (numSteps === 1 ? [0] : [...policy]).entries()) {
    const order = orders[stageAndTime(begin, numPositions).stage]!;
    const end = numSteps === 1 ? numPositions : policyRange(policy, j, numStages * numPositions)[1];
    const { nce } = await evaluator.run({
      parameters,
      examples: examples.subarray(0, BATCH * exampleSize(description)),
      orders: Int32Array.from([...order, ...order]),
      timeSteps: new Int32Array(BATCH).fill(begin),
      ends: new Int32Array(BATCH).fill(end),
    });
    nce.forEach((value, nth) => (bits[nth]! -= value * numVariables));
  }
  return bits;
}

for (const [name, model] of Object.entries(KINDS)) {
  const { description, parameters } = model;
  const { numPositions, numStages, numContext, numVariables, numSteps } = description;
  const size = exampleSize(description);
  const examples = tinyExamples(model, COUNT);
  const isContext = (i: number) => i % size < numContext;
  const context = examples.filter((_, i) => isContext(i));
  const request = { parameters, seed: SEED, context };
  const full = naivePolicy(numPositions, numPositions, numStages);

  test(`${name}: examples come back from their streams, whatever the policy`, async () => {
    const coder = await coderOf(model);
    for (const policy of [naivePolicy(numPositions, 1, numStages), full, randomPolicy(model)]) {
      let numCalls = 0;
      const onCall = () => numCalls++;
      const streams = await coder.encode({ ...request, policy, examples, count: COUNT, onCall });
      assert.equal(numCalls, Math.ceil(COUNT / BATCH) * policy.length);
      assert.deepEqual(await coder.decode({ ...request, policy, streams }), examples);
    }
  });

  test(`${name}: what is left out takes nothing and comes back as class 0`, async () => {
    const coder = await coderOf(model);
    for (const policy of [full, randomPolicy(model)]) {
      const absent = randomAbsent(model, COUNT);
      const streams = await coder.encode({ ...request, policy, examples, count: COUNT, absent });
      const decoded = await coder.decode({ ...request, policy, streams, absent });
      assert.deepEqual(
        decoded,
        examples.map((x, i) => (absent[i] === 1 ? 0 : x)),
      );
      const changed = examples.map((x, i) => (absent[i] === 1 ? 1 : x));
      const again = await coder.encode({ ...request, policy, examples: changed, count: COUNT, absent });
      assert.deepEqual(again, streams);
    }
    const absent = new Uint8Array(COUNT * size).map((_, i) => (isContext(i) ? 0 : 1));
    const empty = await coder.encode({ ...request, policy: full, examples, count: COUNT, absent });
    assert.deepEqual(
      empty.map(({ length }) => length),
      [0, 0, 0],
    );
  });

  test(`${name}: a stream has the bits that the evaluation in its order and policy says`, async () => {
    const coder = await coderOf(model);
    for (const policy of numSteps === 1 ? [full] : [full, randomPolicy(model)]) {
      const streams = await coder.encode({ ...request, policy, examples, count: COUNT });
      (await bitsOf(model, examples, policy)).forEach((bits, nth) => {
        const excess = 8 * streams[nth]!.length - bits;
        // The symbol that is coded first has 24 bits, then the last byte's rest, and what float32 is off.
        const most = 32 + numStages * numVariables * 0.001 + 1e-4 * bits;
        assert.ok(excess > -0.1 && excess < most, `${8 * streams[nth]!.length} bits for ${bits}`);
      });
    }
  });
}

const model = KINDS['stages whose last is not full']!;
const { parameters, description } = model;
const policy = naivePolicy(description.numPositions, 3, description.numStages);
const size = exampleSize(description);

/** The engine, with something done to what a network gives. */
function changing(change: (outputs: Float32Array) => void): Engine {
  return {
    ...engine,
    compile: async (program) => {
      const executable = await engine.compile(program);
      const run: typeof executable.run = async (call) => {
        await executable.run(call);
        change(call.outputs.outputs!);
      };
      return { program, run, dispose: () => executable.dispose() };
    },
  };
}

test('an example is coded the same whichever it is coded with, and decoded by itself, on engines whose rows differ', async () => {
  const rowsDiffer = changing((outputs) => {
    for (let i = outputs.length / BATCH; i < outputs.length; i++) outputs[i]! *= 1.5;
  });
  const coder = await coderOf(model, rowsDiffer);
  const request = { parameters, seed: SEED, policy };
  const examples = tinyExamples(model, 5);
  const streams = await coder.encode({ ...request, examples, count: 5 });
  for (const first of [1, 2, 3, 4]) {
    const some = examples.subarray(first * size);
    const later = await coder.encode({ ...request, examples: some, count: 5 - first, first });
    assert.deepEqual(later, streams.slice(first));
    const alone = await coder.decode({ ...request, streams: [streams[first]!], first });
    assert.deepEqual(alone, examples.slice(first * size, (first + 1) * size));
  }
});

test('damaged streams give an error that names the example, or other examples', async () => {
  const coder = await coderOf(model);
  const request = { parameters, seed: SEED, policy };
  const examples = tinyExamples(model, 2);
  const streams = await coder.encode({ ...request, examples, count: 2 });
  const [good, bad] = streams as [Uint8Array, Uint8Array];
  const decode = (of: Uint8Array) => coder.decode({ ...request, streams: [good, of] });
  const isNamed = (error: Error) => error instanceof CodingError && error.message.startsWith('Example 1: ');
  await assert.rejects(decode(Uint8Array.of(...bad, 0)), isNamed);
  await assert.rejects(decode(Uint8Array.of(...bad, 1, 2, 3, 4)), isNamed);
  await assert.rejects(decode(Uint8Array.of(0, ...bad)), isNamed);
  await assert.rejects(decode(bad.subarray(0, -4)), isNamed);
  let numRefused = 0;
  for (let i = 0; i < 40; i++) {
    const flipped = bad.slice();
    flipped[random.below(bad.length)]! ^= 1 << random.below(8);
    const decoded = await decode(flipped).catch((error: Error) => {
      assert.ok(isNamed(error), error.stack);
      numRefused++;
    });
    if (!decoded) continue;
    assert.deepEqual(decoded.subarray(0, size), examples.subarray(0, size));
    assert.notDeepEqual(decoded, examples);
  }
  assert.ok(numRefused > 30, `${numRefused} of 40`);
});

test('variables that are coded together are left out together', async () => {
  const rgb = KINDS['pixels, RGB logistic']!;
  const coder = await coderOf(rgb);
  const request = { ...rgb, seed: SEED, policy: Int32Array.of(0), examples: tinyExamples(rgb, 1), count: 1 };
  const absent = Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  await assert.rejects(coder.encode({ ...request, absent }), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^Example 0: of the variables from 3 on/);
    return true;
  });
});

test('outputs that are not finite are refused, with where they are', async () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const coder = await coderOf(
      model,
      changing((outputs) => outputs.fill(value, -1)),
    );
    const examples = tinyExamples(model, 2);
    await assert.rejects(
      coder.encode({ parameters, seed: SEED, policy, examples, count: 2 }),
      (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.match(
          error.message,
          /outputs for variable 7 of example 1 of a batch are not finite at call \d/,
        );
        return true;
      },
    );
  }
});
