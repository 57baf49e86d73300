import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';

test("a variable set in a thread is the process's own, which native libraries read", async () => {
  const url = new URL('../../shared/engine/environment.js', import.meta.url).href;
  const script = `import('${url}').then(({ exportVariable }) => exportVariable('ARDM_TEST', 'seen'))`;
  await once(new Worker(script, { eval: true }), 'exit');
  assert.equal(process.env.ARDM_TEST, 'seen');
});
