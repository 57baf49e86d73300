import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test, { type TestContext } from 'node:test';
import type { onnx as Onnx } from 'onnx-proto';
import * as ort from 'onnxruntime-node';
import { checkOnnxSize, encodeExportedOnnx } from '../../shared/checkpoint/exported-onnx.js';
import type { Facts } from '../../shared/checkpoint/exported-metadata.js';
import { openCheckpoint } from '../../shared/checkpoint/open.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { sizeOf } from '../../shared/engine/program.js';
import { UserError } from '../../shared/errors.js';
import { outputsProgram } from '../../shared/model/program.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { tinyRun, type TinyRun } from '../cli/tiny-checkpoint.js';
import { temporaryFolder } from '../data/temporary.js';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Onnx };
const HASH = 'a'.repeat(64);

async function exported(t: TestContext, kind: Parameters<typeof tinyRun>[1]) {
  const run = await tinyRun(await temporaryFolder(t), kind);
  const facts: Facts = { ...(await openCheckpoint(run.folder)), modelHash: HASH };
  return { run, bytes: encodeExportedOnnx(facts, run.description, run.ema) };
}

/** What the engine makes of random inputs, and these as ONNX Runtime takes them. */
async function reference({ description, config, ema }: TinyRun, batch: number) {
  const random = stream(batch, PURPOSE.sample);
  const program = outputsProgram(description, config.model, batch);
  const inputs = Object.fromEntries(
    program.inputs.map(({ name, dtype, shape }) => {
      const limit = name === 'positions' ? shape[1]! : description.numClasses;
      const integers = dtype === 'int32';
      const values = Float32Array.from({ length: sizeOf(shape) }, () =>
        integers
          ? Math.floor(random.inside() * limit)
          : name === 'mask'
            ? +(random.inside() < 0.5)
            : random.normal(),
      );
      return [name, integers ? Int32Array.from(values) : values];
    }),
  );
  const outputs = new Float32Array(sizeOf(program.outputs[0]!.shape));
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const executable = await engine.compile(program);
  await executable.run({ parameters: ema, inputs, outputs: { outputs } });
  await executable.dispose();
  const feeds = program.inputs.map(
    ({ name, dtype, shape }) =>
      [name, new ort.Tensor(dtype as 'float32', inputs[name] as Float32Array, shape)] as const,
  );
  return { outputs, feeds: Object.fromEntries(feeds) };
}

for (const kind of ['image', 'upscale', 'text', 'arm', 'permuted', 'audio'] as const)
  test(`a network of kind ${kind} gives the engine’s outputs, at any batch, by ONNX’s own operations`, async (t) => {
    const { run, bytes } = await exported(t, kind);
    const { opsetImport, graph } = onnx.ModelProto.decode(bytes);
    assert.deepEqual(
      opsetImport!.map(({ domain, version }) => [domain, Number(version)]),
      [['', 18]],
    );
    assert.deepEqual([...new Set(graph!.node!.map(({ domain }) => domain))], ['']);
    const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    for (const batch of [1, 3]) {
      const { outputs, feeds } = await reference(run, batch);
      assert.deepEqual([session.inputNames, session.outputNames], [Object.keys(feeds), ['outputs']]);
      const found = (await session.run(feeds)).outputs!.data as Float32Array;
      assert.equal(found.length, outputs.length);
      const error = found.map((value, i) => Math.abs(value - outputs[i]!));
      assert.ok(Math.max(...error) < 1e-5, `off by ${Math.max(...error)}`);
      assert.ok(Math.max(...outputs) - Math.min(...outputs) > 0.5);
    }
    await session.release();
  });

test('the file says what it is: parameters by name, every input described, the facts', async (t) => {
  const { run, bytes } = await exported(t, 'upscale');
  const { docString, producerName, metadataProps, graph } = onnx.ModelProto.decode(bytes);
  assert.match(docString!, /The network of tiny, .* after 3 training steps/);
  assert.equal(producerName, 'ardm');
  const facts = Object.fromEntries(metadataProps!.map(({ key, value }) => [key, value]));
  assert.deepEqual([facts.step, facts.shape, facts.model_hash], ['3', '[4,4,1]', HASH]);
  assert.deepEqual(JSON.parse(facts.config!).model, run.config.model);
  const names = new Set(graph!.initializer!.map(({ name }) => name));
  assert.ok(run.description.parameters.every(({ name }) => names.has(name)));
  const described = [...graph!.input!, ...graph!.output!].map(({ name, docString, type }) => {
    const extents = type!.tensorType!.shape!.dim!.map(
      ({ dimParam, dimValue }) => dimParam || Number(dimValue),
    );
    return [name, extents, docString];
  });
  assert.deepEqual(
    described.map(([name, extents]) => [name, extents]),
    [
      ['classes', ['batch', 1, 4, 4]],
      ['mask', ['batch', 3, 4, 4]],
      ['time', ['batch', 8]],
      ['outputs', ['batch', 256, 4, 4]],
    ],
  );
  assert.match(String(described[0]![2]), /0 to 255, and 0 where nothing is known of it$/);
  assert.match(String(described[1]![2]), /then 2 maps, 1 in that of the stage/);
  assert.match(String(described[2]![2]), /a = 1000 t \/ 32: n \/ 2 sines/);
});

test('a model beyond what the format can hold is refused with the sizes', () => {
  checkOnnxSize({ numParameters: 500_000_000 });
  assert.throws(
    () => checkOnnxSize({ numParameters: 530_000_000 }),
    (error) =>
      error instanceof UserError &&
      /take 2120000000 bytes, and an ONNX file holds 2147483647 .*\.safetensors/.test(error.message),
  );
});
