import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Registry } from 'prom-client';
import { createMetrics } from '../../coordinator/metrics.js';
import type { LiveMember } from '../../shared/page/views.js';
import { madeUpRun, STARTED_AT, stepEvent } from './made-up-run.js';

const OPTIONS = { version: '1.2.3', steps: 10, numClasses: 256, gradientCompression: 3.5 };

/** The project's samples as a scrape sees them: `name{label="value"}` -> value. */
async function scrape(registry: Registry): Promise<Record<string, number>> {
  const text = await registry.metrics();
  const samples = text.split('\n').filter((line) => line.startsWith('ardm_'));
  return Object.fromEntries(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('a run is told in figures', async () => {
  const metrics = createMetrics(OPTIONS);
  for (const [event, time] of madeUpRun(10)) metrics(event, time);
  const found = await scrape(metrics.registry);
  const expected = {
    ardm_step: 10,
    ardm_steps_planned: 10,
    'ardm_steps_total{outcome="committed"}': 10,
    'ardm_steps_total{outcome="retried"}': 1,
    'ardm_step_duration_seconds_count{phase="compute"}': 10,
    'ardm_step_duration_seconds_sum{phase="upload"}': 2.5,
    'ardm_step_duration_seconds_bucket{le="0.01",phase="reduce"}': 10,
    'ardm_step_duration_seconds_bucket{le="0.001",phase="publish"}': 0,
    ardm_samples_total: 640,
    ardm_epoch: 1,
    ardm_epoch_progress_ratio: 0.25,
    'ardm_loss_bits_per_dim{split="train"}': 0.3,
    'ardm_loss_bits_per_dim{split="test"}': 1.25,
    ardm_evaluation_standard_error_bits_per_dim: 0.01,
    ardm_data_compression_ratio: 8 / 1.25,
    ardm_compression_ratio: 3.5,
    ardm_objective_bits_per_dim: 3,
    ardm_clip_factor: 1,
    'ardm_task_duration_seconds{kind="evaluate"}': 12,
    'ardm_task_duration_seconds{kind="sample"}': 3,
    ardm_gradient_norm: 0.5,
    ardm_learning_rate: 1e-4,
    'ardm_quorum_changes_total{cause="join"}': 2,
    'ardm_quorum_changes_total{cause="silent"}': 1,
    'ardm_quorum_changes_total{cause="diverged"}': 0,
    ardm_local_worker_restarts_total: 1,
    ardm_slices_redealt_total: 3,
    'ardm_contributions_dropped_total{reason="refused"}': 1,
    'ardm_contributions_dropped_total{reason="stale"}': 1,
    'ardm_contributions_dropped_total{reason="malformed"}': 0,
    ardm_nonfinite_gradients_total: 1,
    ardm_state_divergence_total: 1,
    'ardm_bytes_total{direction="in",kind="gradient"}': 9000,
    'ardm_bytes_total{direction="in",kind="alive"}': 1000,
    'ardm_bytes_total{direction="out",kind="average"}': 20_000,
    'ardm_bytes_total{direction="out",kind="deal"}': 10_000,
    'ardm_checkpoint_duration_seconds_sum{phase="snapshot"}': 0.02,
    'ardm_checkpoint_duration_seconds_sum{phase="write"}': 0.4,
    ardm_checkpoint_last_success_timestamp_seconds: STARTED_AT / 1000 + 10,
    ardm_checkpoint_step: 10,
    ardm_checkpoint_bytes: 14_200_000,
    'ardm_checkpoint_failures_total{reason="ENOSPC"}': 1,
    'ardm_run_info{run="a-run",config_hash="c0ffee"}': 1,
    'ardm_coordinator_state{state="done"}': 1,
    'ardm_coordinator_state{state="training"}': 0,
    [`ardm_build_info{version="1.2.3",node="${process.versions.node}"}`]: 1,
  };
  const picked = Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]]));
  assert.deepEqual(picked, expected);
});

test('figures that nothing was measured of are absent, not 0', async () => {
  const found = await scrape(createMetrics(OPTIONS).registry);
  const names = Object.keys(found).join('\n');
  assert.doesNotMatch(
    names,
    /loss|gradient_norm|learning_rate|epoch|checkpoint_(last|step|bytes)|worker_[^r]|gpu|disk|data_compression/,
  );
  assert.equal(found['ardm_steps_total{outcome="retried"}'], 0);
});

test('a run that goes on from a checkpoint counts from there', async () => {
  const metrics = createMetrics(OPTIONS);
  const [start] = madeUpRun()[0]!;
  metrics({ ...start, step: 7 }, 0);
  assert.equal((await scrape(metrics.registry)).ardm_step, 7);
});

test('what could not be told or noted is counted', async () => {
  const metrics = createMetrics(OPTIONS);
  metrics({ event: 'journal-failed', step: 0, reason: 'ENOSPC' }, 0);
  metrics({ event: 'notice-failed', step: 0, notice: 'done', by: 'webhook', reason: 'HTTP 500' }, 0);
  const found = await scrape(metrics.registry);
  assert.equal(found.ardm_journal_failures_total, 1);
  assert.equal(found['ardm_notice_failures_total{by="webhook"}'], 1);
  assert.equal(found['ardm_notice_failures_total{by="command"}'], 0);
});

test('the run is in exactly one state', async () => {
  const metrics = createMetrics(OPTIONS);
  const current = async () => {
    const found = Object.entries(await scrape(metrics.registry));
    return found.filter(([name, value]) => name.includes('_state{') && value === 1).map(([name]) => name);
  };
  const is = async (state: string) =>
    assert.deepEqual(await current(), [`ardm_coordinator_state{state="${state}"}`]);
  await is('starting');
  metrics({ event: 'waiting', step: 0, reason: '' }, 0);
  await is('waiting');
  metrics(stepEvent(1), 0);
  await is('training');
  metrics({ event: 'stopping', step: 1, reason: 'SIGINT' }, 0);
  await is('stopping');
  metrics({ event: 'failed', step: 1, reason: 'stopped', exitCode: 130 }, 0);
  await is('failed');
});

const member = (slot: number, more: Partial<LiveMember> = {}): LiveMember => ({
  ...{ slot, ready: true, step: 9, silentSeconds: 0.5, slices: 40, sliceSeconds: 10, ...more },
});

test('workers are told by slot, and a slot that is empty has no series', async () => {
  const gpu = { use: 0.93, memoryUsed: 2 ** 33, memory: 2 ** 34, celsius: 67 };
  let members = [member(0, { gpu }), member(3, { ready: false, step: 0, silentSeconds: 2 })];
  const metrics = createMetrics({ ...OPTIONS, members: () => members });
  metrics(stepEvent(10), 0);
  const found = await scrape(metrics.registry);
  const ofSlot = (slot: number, from: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(from)
        .filter(([name]) => name.endsWith(`{slot="${slot}"}`))
        .map(([name, value]) => [name.slice('ardm_worker_'.length, name.indexOf('{')), value]),
    );
  assert.equal(found['ardm_workers{state="ready"}'], 1);
  assert.equal(found['ardm_workers{state="syncing"}'], 1);
  assert.deepEqual(ofSlot(0, found), {
    last_seen_seconds: 0.5,
    step_lag: 1,
    slices_total: 40,
    slice_seconds_total: 10,
    gpu_use_ratio: 0.93,
    gpu_memory_used_bytes: 2 ** 33,
    gpu_memory_bytes: 2 ** 34,
    gpu_temperature_celsius: 67,
  });
  const withoutGpu = { last_seen_seconds: 2, slices_total: 40, slice_seconds_total: 10 };
  assert.deepEqual(ofSlot(3, found), withoutGpu, 'who still receives the state lags behind nothing');

  members = [member(0, { step: 10, slices: 1 })];
  const later = await scrape(metrics.registry);
  assert.equal(later['ardm_workers{state="syncing"}'], 0);
  assert.equal(later['ardm_worker_step_lag{slot="0"}'], 0);
  assert.equal(later['ardm_worker_slices_total{slot="0"}'], 1, 'another worker, in the same slot');
  assert.ok(!('ardm_worker_gpu_use_ratio{slot="0"}' in later), 'which has no GPU');
  assert.deepEqual(ofSlot(3, later), {});
});

test('a scrape with 64 workers has under 2,000 series', async () => {
  const gpu = { use: 0.93, memoryUsed: 2 ** 33, memory: 2 ** 34, celsius: 67 };
  const members = Array.from({ length: 64 }, (_, slot) => member(slot, { gpu }));
  const metrics = createMetrics({ ...OPTIONS, members: () => members });
  for (const [event, time] of madeUpRun(10)) metrics(event, time);
  const lines = (await metrics.registry.metrics()).split('\n');
  const series = lines.filter((line) => line !== '' && !line.startsWith('#'));
  assert.ok(series.length < 2000, `${series.length} series`);
});

test('no text of a worker becomes a label', async () => {
  const metrics = createMetrics(OPTIONS);
  const count = async () => Object.keys(await scrape(metrics.registry)).length;
  const tell = (nth: number) => {
    for (const message of ['hello', 'unreadable', 'gradient', 'result']) {
      metrics({ event: 'dropped', step: 0, slot: -1, message, reason: `reason ${nth}` }, 0);
    }
    metrics({ event: 'checkpoint-failed', step: 0, reason: `ERROR E${nth} in EVERYTHING` }, 0);
    metrics({ event: 'leave', step: 0, slot: nth, pid: nth, reason: `reason ${nth}`, members: 0 }, 0);
    metrics({ event: 'nonfinite', step: 0, slot: nth, tensor: `tensor ${nth}` }, 0);
  };
  tell(0);
  const once = await count();
  for (let nth = 1; nth < 50; nth++) tell(nth);
  assert.equal(await count(), once);
});

test('the event loop and the process are measured', async () => {
  const text = await createMetrics(OPTIONS).registry.metrics();
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds \d/m);
  assert.match(text, /^process_resident_memory_bytes [1-9]/m);
});
