import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { createTraces, isTracedByEnvironment } from '../../coordinator/open-telemetry.js';
import { version } from '../../shared/package.js';
import { collector, type Attribute, type Span } from './collector.js';
import { madeUpRun, STARTED_AT, stepEvent } from './made-up-run.js';

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.doubleValue ?? value.intValue]),
  );
/** Seconds after the made-up run's start. */
const seconds = (nanoseconds: string) => (Number(BigInt(nanoseconds) / 1000n) / 1000 - STARTED_AT) / 1000;
const stretch = ({ startTimeUnixNano, endTimeUnixNano }: Span) =>
  [startTimeUnixNano, endTimeUnixNano].map((time) => Number(seconds(time).toFixed(3)));

test('a step is a trace of its own, with its phases and what each worker did', async (t) => {
  const { url, paths, resources, spans } = await collector(t);
  const traces = await createTraces(`${url}/`, 'mnist');
  traces(...madeUpRun()[0]!);
  traces({ event: 'redeal', step: 4, slices: 2, reason: 'worker 1 was lost' }, STARTED_AT + 4500);
  const work = [
    { slot: 0, begin: 0, end: 4, dealt: -0.5, from: 0, to: 0.6 },
    { slot: 1, begin: 4, end: 8, dealt: 0, from: 0, to: 0.75 },
  ];
  traces({ ...stepEvent(5), work }, STARTED_AT + 5002);
  traces(stepEvent(6), STARTED_AT + 6002);
  await traces.close();

  assert.deepEqual(paths, ['/v1/traces']);
  const about = valuesOf(resources()[0]!.resource.attributes);
  assert.deepEqual(
    [about['service.name'], about['service.version'], about['ardm.name']],
    ['ardm-coord', version, 'mnist'],
  );
  const [root, other] = spans().filter(({ name }) => name === 'step') as [Span, Span];
  assert.notEqual(root.traceId, other.traceId);
  assert.deepEqual(stretch(root), [4, 5.002]);
  const { 'ardm.step': step, 'ardm.bits_per_dim': bound, 'ardm.run': run } = valuesOf(root.attributes);
  assert.deepEqual([step, bound, run], [5, 0.6, 'a-run']);
  assert.deepEqual(
    root.events.map(({ name, timeUnixNano }) => [name, seconds(timeUnixNano)]),
    [
      ['start', 0],
      ['redeal', 4.5],
    ],
  );
  assert.deepEqual(other.events, []);
  const children = spans().filter(({ parentSpanId }) => parentSpanId === root.spanId);
  assert.deepEqual(
    children.map((span) => [span.name, ...stretch(span)]),
    [
      ['compute', 4, 4.5],
      ['upload', 4.5, 4.75],
      ['reduce', 4.99, 5],
      ['publish', 5, 5.002],
      ['worker 0', 4, 4.6],
      ['worker 1', 4, 4.75],
    ],
  );
  assert.ok(children.every(({ traceId }) => traceId === root.traceId));
  assert.deepEqual(valuesOf(children[5]!.attributes), {
    ...{ 'ardm.slot': 1, 'ardm.slices.begin': 4, 'ardm.slices.end': 8 },
  });
});

test('evaluations, samples and checkpoints are traces by their seconds', async (t) => {
  const { url, spans } = await collector(t);
  const traces = await createTraces(url, 'mnist');
  for (const [event, time] of madeUpRun(30)) traces(event, time);
  await traces.close();
  const others = spans().filter(({ name, parentSpanId }) => name !== 'step' && !parentSpanId);
  assert.deepEqual(
    others.map((span) => [span.name, ...stretch(span)]),
    [
      ['evaluation', 18, 30],
      ['samples', 27, 30],
      ['checkpoint', 29.6, 30],
    ],
  );
  assert.equal(valuesOf(others[0]!.attributes)['ardm.bitsPerDim'], 1.25);
});

/** What is said on stderr while `act` goes on. */
async function saidIn(t: TestContext, act: () => Promise<void>): Promise<string[]> {
  const said = t.mock.method(process.stderr, 'write', () => true);
  await act().finally(() => said.mock.restore());
  return said.mock.calls.map(({ arguments: [line] }) => String(line));
}

test('a collector that is gone is told of once, and costs no step a wait', async (t) => {
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '300';
  t.after(() => delete process.env.OTEL_EXPORTER_OTLP_TIMEOUT);
  const said = await saidIn(t, async () => {
    const traces = await createTraces('http://127.0.0.1:9', 'mnist');
    const began = performance.now();
    for (let step = 1; step <= 1000; step++) traces(stepEvent(step), STARTED_AT + 1000 * step);
    assert.ok(performance.now() - began < 1000);
    await traces.close();
  });
  assert.equal(said.length, 1);
  assert.match(said[0]!, /^traces could not be delivered: .*ECONNREFUSED.*; the run goes on\n$/);
});

test('a collector that never answers holds the end of a run up for seconds only', async (t) => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const began = performance.now();
  const said = await saidIn(t, async () => {
    const traces = await createTraces(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'mnist');
    traces(stepEvent(1), STARTED_AT);
    await traces.close();
  });
  server.closeAllConnections();
  server.close();
  assert.ok(performance.now() - began < 9_000);
  assert.deepEqual(said, ['the last traces could not be delivered in time\n']);
});

test("the environment's endpoint counts unless OpenTelemetry is switched off there", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  assert.equal(isTracedByEnvironment({}), false);
  assert.equal(isTracedByEnvironment(endpoint), true);
  assert.equal(isTracedByEnvironment({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://a' }), true);
  assert.equal(isTracedByEnvironment({ ...endpoint, OTEL_SDK_DISABLED: 'true' }), false);
  assert.equal(isTracedByEnvironment({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), false);
});
