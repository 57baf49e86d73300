import assert from 'node:assert/strict';
import test from 'node:test';
import { describeCase, MEDIA, type Medium } from '../../bench/generation-cases.js';
import { Witness } from '../../bench/witness.js';
import type { Call, Engine, Program } from '../../shared/engine/engine.js';

const program: Program = { name: 'p', parameters: [], inputs: [], outputs: [], build: () => ({}) };
const callOf = (): Call => ({ parameters: new Float32Array(), inputs: {}, outputs: {} });

/** An engine that notes its calls, of a few milliseconds each. */
function recorder(): { engine: Engine; calls: Call[] } {
  const calls: Call[] = [];
  const run = async (call: Call) => {
    calls.push(call);
    const end = performance.now() + 5;
    while (performance.now() < end);
  };
  const dispose = () => Promise.resolve();
  const compile = (of: Program) => Promise.resolve({ program: of, run, dispose });
  return { engine: { name: 'reference', provider: 'cpu', description: '', compile, dispose }, calls };
}

test('every so many calls are run once more as they are, and these are timed', async () => {
  const { engine, calls } = recorder();
  const witness = new Witness(engine);
  const executable = await witness.compile(program);
  const made = Array.from({ length: 5 }, callOf);
  const repeats = witness.watch(2);
  for (const call of made) await executable.run(call);
  const [a, b, c, d, e] = made;
  assert.deepEqual(
    calls.map((call) => made.indexOf(call)),
    [a, a, b, c, c, d, e, e].map((call) => made.indexOf(call!)),
  );
  assert.equal(repeats.count, 3);
  assert.ok(repeats.seconds >= 0.015 && repeats.seconds < 0.5, `${repeats.seconds} s`);
});

test('nothing is repeated unless it is asked for', async () => {
  const { engine, calls } = recorder();
  const executable = await new Witness(engine).compile(program);
  await executable.run(callOf());
  await executable.run(callOf());
  assert.equal(calls.length, 2);
});

test('the models are those that the report says: a variable a step, in stages where there are some', () => {
  const steps = (Object.keys(MEDIA) as Medium[]).map((medium) => describeCase(medium).description.numSteps);
  assert.deepEqual(steps, [128, 784, 8000]);
});
