import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkerMetrics } from '../../worker/metrics.js';
import { serveMetrics } from '../../worker/http.js';

const OPTIONS = {
  version: '1.2.3',
  device: { description: 'onnxruntime 1.30.0, cpu, 1 thread', provider: 'cpu' },
  lanes: 2,
  gpu: () => undefined,
};

test("a worker's work is told in figures, over HTTP", async (t) => {
  const gpu = () => ({ use: 0.5, celsius: 60 });
  const metrics = createWorkerMetrics({ ...OPTIONS, gpu });
  metrics.joined(3);
  metrics.slice(0.2);
  metrics.slice(0.4);
  metrics.applied(7, 0.01);
  metrics.message('in', 'average', [new Uint8Array(10), new Uint8Array(90)]);
  const server = await serveMetrics('127.0.0.1:0', metrics.registry);
  t.after(() => server.close());
  const text = await (await fetch(`${server.url}/metrics`)).text();
  for (const line of [
    'ardm_replica_slot 3',
    'ardm_replica_joins_total 1',
    'ardm_replica_step 7',
    'ardm_replica_slice_duration_seconds_count 2',
    'ardm_replica_apply_duration_seconds_sum 0.01',
    'ardm_replica_bytes_total{direction="in",kind="average"} 100',
    'ardm_replica_lanes{provider="cpu",device="onnxruntime 1.30.0, cpu, 1 thread"} 2',
    'ardm_replica_gpu_use_ratio 0.5',
    'ardm_replica_gpu_temperature_celsius 60',
    `ardm_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
  ])
    assert.ok(text.split('\n').includes(line), line);
  assert.doesNotMatch(text, /^ardm_replica_gpu_memory/m, 'what the GPU does not tell is absent');
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${server.url}/`)).status, 404);
});

test('a worker without a GPU, and outside a run, has no figures of one', async () => {
  const text = await createWorkerMetrics(OPTIONS).registry.metrics();
  assert.doesNotMatch(text, /^ardm_replica_(gpu|slot|step)/m);
});
