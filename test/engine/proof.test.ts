import assert from 'node:assert/strict';
import test from 'node:test';
import type { Engine } from '../../shared/engine/engine.js';
import { proveEngine } from '../../shared/engine/proof.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';

const reference = createReferenceEngine();

/** The reference, with one number of its gradients changed at each run. */
function changed(change: (gradients: Float32Array, run: number) => void): Engine {
  let run = 0;
  return {
    ...reference,
    async compile(program) {
      const executable = await reference.compile(program);
      return {
        program,
        async run(call) {
          await executable.run(call);
          change(call.gradients!, run++);
        },
        dispose: () => executable.dispose(),
      };
    },
  };
}

test('an engine that computes as the reference does is proved repeatable', async () => {
  const { difference, repeatable } = await proveEngine(reference);
  assert.deepEqual({ difference, repeatable }, { difference: 0, repeatable: true });
});

test('an engine with one wrong gradient is refused by the name of the parameter', async () => {
  const message = /small training step gives wrong numbers: gradient of .*conv_in\/kernel is off by/;
  for (const wrong of [1e6, NaN])
    await assert.rejects(proveEngine(changed((gradients) => (gradients[0] = wrong))), {
      name: 'EngineError',
      message,
    });
});

test('an engine that differs in one bit of its second run passes as not repeatable', async () => {
  const { repeatable } = await proveEngine(
    changed((gradients, run) => (gradients[5]! *= run === 1 ? 1 + 2 ** -23 : 1)),
  );
  assert.equal(repeatable, false);
});
