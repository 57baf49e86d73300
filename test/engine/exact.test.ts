import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program } from '../../shared/engine/engine.js';
import { createExactEngine } from '../../shared/engine/exact.js';
import { checkRuntime, loadRuntime, proveRuntime, WASM_SHA256 } from '../../shared/engine/exact-runtime.js';
import { identityOf } from '../../shared/engine/identity.js';
import { worstDifference } from '../../shared/engine/proof.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { tinyUnet } from '../../shared/engine/tiny-unet.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { outputsProgram } from '../../shared/model/program.js';
import { Sampler } from '../../shared/model/sample.js';
import { tf } from '../../shared/networks/tensors.js';
import { tinyModel } from '../model/tiny-model.js';
import { reportOf } from './exact-report.js';

const engine = await createExactEngine();

/** Forward only. */
function tinyCall() {
  const { program, call } = tinyUnet({ multipliers: [1, 2], attention: 'all' });
  const forward: Program = { ...program, gradientOf: undefined };
  return { forward, call: () => ({ ...call(), gradients: undefined }) };
}

test('a U-Net has the likelihoods of the reference, the same bytes each time', async () => {
  const { forward, call } = tinyCall();
  const [expected, first, second] = [call(), call(), call()];
  await (await createReferenceEngine().compile(forward)).run(expected);
  const executable = await engine.compile(forward);
  await executable.run(first);
  await executable.run(second);
  await executable.dispose();
  const { tensor, difference } = worstDifference(forward, first, expected);
  assert.ok(difference <= 1e-5, `${tensor} is off by ${difference} of its largest value`);
  assert.deepEqual(second.outputs, first.outputs);
});

test('parameters may lie in shared memory', async () => {
  const { forward, call } = tinyCall();
  const executable = await engine.compile(forward);
  const [plain, shared] = [call(), call()];
  const parameters = new Float32Array(new SharedArrayBuffer(plain.parameters.byteLength));
  parameters.set(plain.parameters);
  await executable.run(plain);
  await executable.run({ ...shared, parameters });
  assert.deepEqual(shared.outputs, plain.outputs);
});

test('a sampler runs on it', async () => {
  const { config, description, parameters } = tinyModel();
  const sampler = await Sampler.create(engine, description, config, 2);
  const examples = await sampler.run({
    parameters,
    seed: 1,
    first: 0,
    count: 3,
    policy: naivePolicy(description.numSteps, 4),
  });
  assert.equal(new Set(examples).size, description.numClasses);
});

/** In a process without flags. */
let plainReport: ReturnType<typeof reportOf> | undefined;

for (const flags of [
  ['--liftoff-only'],
  ['--no-liftoff'],
  ['--no-liftoff', '--no-enable-avx', '--no-enable-avx2', '--no-enable-fma3', '--no-enable-sse4-2'],
])
  test(`${flags.join(' ')} gives the bits of V8 as it is`, async () =>
    assert.deepEqual(
      await reportOf(process.execPath, ...flags),
      await (plainReport ??= reportOf(process.execPath)),
    ));

test('a runtime that gives one other bit is refused', async () => {
  const ort = await loadRuntime();
  const flipped = {
    ...ort,
    InferenceSession: {
      create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
        const session = await ort.InferenceSession.create(...args);
        const run = async (feeds: Parameters<typeof session.run>[0]) => {
          const results = await session.run(feeds);
          const { data } = results['last']!;
          new Uint8Array((data as Float32Array).buffer)[0]! ^= 1;
          return results;
        };
        return { outputNames: session.outputNames, run, release: () => session.release() };
      },
    },
  };
  await assert.rejects(proveRuntime(flipped as unknown as typeof ort), {
    name: 'UserError',
    message: /computes other bits on Node\.js .* than on every machine/,
  });
  await proveRuntime(ort);
});

test('another version and another WebAssembly are refused, with what to do', () => {
  const refusal = (what: RegExp) => ({
    name: 'UserError',
    message: new RegExp(`${what.source}.*only 1\\.30\\.0.*npm ci`),
  });
  assert.throws(() => checkRuntime('1.31.0', Uint8Array.of(1)), refusal(/has version 1\.31\.0 here/));
  assert.throws(() => checkRuntime('1.30.0', Uint8Array.of(1)), refusal(/a WebAssembly of SHA-256 4bf5122f/));
});

test('a program with gradients, and a call that does not fit, are refused by name', async () => {
  await assert.rejects(engine.compile(tinyUnet().program), {
    name: 'EngineError',
    message: /tiny U-Net: .*no gradients/,
  });
  const { forward, call } = tinyCall();
  const executable = await engine.compile(forward);
  await assert.rejects(executable.run({ ...call(), parameters: new Float32Array(4) }), {
    name: 'EngineError',
    message: /tiny U-Net: parameters should be a Float32Array of \d+, but is a Float32Array of 4/,
  });
});

test('an operation that it lacks is told with the program', async () => {
  const comparison: Program = {
    name: 'comparison of flags',
    parameters: [{ name: 'a', shape: [3] }],
    inputs: [],
    outputs: [{ name: 'y', shape: [3] }],
    build(_, [a]) {
      const positive = tf.greater(a!, 0);
      return { y: tf.cast(tf.greater(positive, positive), 'float32') };
    },
  };
  await assert.rejects(engine.compile(comparison), {
    name: 'EngineError',
    message: /^comparison of flags does not run on onnxruntime-web 1\.30\.0: /,
  });
});

test('the identity names runtime, WebAssembly and graph, and is that of the shapes', async () => {
  const { config, description } = tinyModel();
  const identityAt = async (batch: number) =>
    identityOf(engine, await engine.compile(outputsProgram(description, config, batch)));
  const identity = await identityAt(2);
  assert.equal(identity.kind, 'exact');
  assert.deepEqual(
    { ...identity, graph: '' },
    { kind: 'exact', runtime: 'onnxruntime-web 1.30.0', wasm: WASM_SHA256, graph: '' },
  );
  assert.match(identity.kind === 'exact' ? identity.graph : '', /^[0-9a-f]{64}$/);
  assert.deepEqual(await identityAt(2), identity);
  assert.notDeepEqual(await identityAt(3), identity);
});

test('the identity of another engine is a fingerprint in words', async () => {
  const reference = createReferenceEngine();
  const { forward } = tinyCall();
  const identity = identityOf(reference, await reference.compile(forward));
  assert.equal(identity.kind, 'fast');
  assert.match(
    identity.kind === 'fast' ? identity.fingerprint : '',
    /^TensorFlow\.js 4\.22\.0, plain JavaScript; \w+, .+; ardm \d/,
  );
});
