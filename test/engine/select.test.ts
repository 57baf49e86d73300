import assert from 'node:assert/strict';
import test from 'node:test';
import { selectEngine } from '../../shared/engine/select.js';

test('--cpu takes onnxruntime, with the threads that it is given', async () => {
  const { engine, repeatable } = await selectEngine({ cpu: true, threads: 2 });
  assert.match(engine.description, /^onnxruntime [\d.]+, cpu, 2 threads$/);
  assert.equal(repeatable, true);
});

test('flags that contradict each other are refused by name', async () => {
  const contradictions = {
    '--gpu 0 --cpu': { gpu: 0, cpu: true },
    '--cpu --provider cuda': { cpu: true, provider: 'cuda' },
    '--gpu 1 --provider cpu': { gpu: 1, provider: 'cpu' },
    '--engine tensorflow --provider webgpu': { engine: 'tensorflow', provider: 'webgpu' },
  } as const;
  for (const [flags, choice] of Object.entries(contradictions))
    await assert.rejects(selectEngine({ ...choice, threads: 1 }), {
      name: 'UsageError',
      message: `${flags} contradict each other: no engine fits them all.`,
    });
});

test('a GPU that is not there ends with all that was tried, and what each takes', async () => {
  await assert.rejects(selectEngine({ gpu: 99, threads: 1 }), (error: Error) => {
    assert.equal(error.name, 'UserError');
    assert.match(error.message, /^There is no GPU 99 to compute on\. Tried:$/m);
    assert.match(error.message, /^ {2}onnxruntime, cuda: .+\n {4}It takes .*--onnxruntime-node-install$/m);
    assert.match(error.message, /^ {2}tensorflow, cuda: .+\n {4}It takes .*build-tfjs-node\.sh gpu$/m);
    assert.match(error.message, /^ {2}onnxruntime, webgpu: .+\n {4}It takes .+$/m);
    assert.match(error.message, /--cpu trains without one/);
    return true;
  });
});

test('a provider that is named is the only one tried', async () => {
  await assert.rejects(selectEngine({ gpu: 99, provider: 'webgpu', threads: 1 }), (error: Error) => {
    assert.match(error.message, /onnxruntime, webgpu: /);
    assert.doesNotMatch(error.message, /cuda: /);
    return true;
  });
});
