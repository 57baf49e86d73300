import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { collector } from '../coordinator/collector.js';
import { hasTensorBoard, readByTensorBoard } from '../coordinator/tensorboard/real-tensorboard.js';
import { join, start, tinyRun } from './tiny-run.js';

/** A webhook that keeps what it got; its address ends in a secret. */
async function webhook(t: TestContext) {
  const notices: { notice: string; step: number; text: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      notices.push(JSON.parse(body) as (typeof notices)[number]);
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { notices, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/s3cret` };
}

/** Every file of a folder, one after another. */
const contents = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

test('a run and its resumption are recorded by all trackers, and no secret is in them', async (t) => {
  const { config, folder } = await tinyRun(t);
  const traces = await collector(t);
  const hook = await webhook(t);
  const sets = {
    ...{ 'trackers.tensorboard': true, 'trackers.timeline': true, 'trackers.otlp': traces.url },
    'notify.webhook': hook.url,
  };
  const args = Object.entries(sets).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

  let run = start(t, config, folder, [...args, '--steps', '7']);
  await join(t, run);
  const { http } = await run.event('listen');
  const shown = await (await fetch(`${http}/api/runs`)).text();
  assert.doesNotMatch(shown, /s3cret/);
  assert.equal(await run.exit(), 0, run.stderr);
  run = start(t, config, folder, [...args, '--steps', '12']);
  await join(t, run);
  assert.equal(await run.exit(), 0, run.stderr);

  for (const { step, work, seconds } of run.events('step')) {
    assert.equal(
      work!.reduce((sum, { begin, end }) => sum + end - begin, 0),
      8,
      `step ${step}`,
    );
    assert.ok(work!.every(({ from, to }) => 0 <= from && from <= to && to <= seconds + 0.001));
  }
  const roots = traces.spans().filter(({ name }) => name === 'step');
  assert.equal(roots.length, 12);
  const workers = traces.spans().filter(({ name }) => name === 'worker 0');
  assert.ok(workers.length >= 12);
  assert.ok(workers.every(({ parentSpanId }) => roots.some(({ spanId }) => spanId === parentSpanId)));

  const told = hook.notices.map(({ notice, step }) => `${notice} ${step}`);
  assert.deepEqual(told, ['done 7', 'best 10', 'best 12', 'done 12']);
  assert.deepEqual(run.events('notice-failed'), []);
  assert.doesNotMatch(contents(folder), /s3cret/);

  if (!hasTensorBoard(t)) return;
  const steps = Array.from({ length: 12 }, (_, i) => i + 1);
  const board = path.join(folder, 'tensorboard');
  const [train, tested, checkpoints] = readByTensorBoard(
    ...['train', 'test', 'checkpoints'].map((part) => path.join(board, part)),
  );
  const stepsOf = (entries: readonly (readonly [unknown, number, ...unknown[]])[]) =>
    entries.map(([, step]) => step);
  assert.deepEqual(stepsOf(train!.scalars.bits_per_dim!), steps);
  assert.deepEqual(stepsOf(tested!.scalars.bits_per_dim!), [7, 10, 12]);
  assert.deepEqual(
    tested!.images.samples!.map(([step]) => step),
    [7, 12],
  );
  assert.ok(Object.keys(checkpoints!.histograms).length > 50);
});

test('a run ends well where nobody takes its traces and notices', async (t) => {
  const { config, folder } = await tinyRun(t);
  const nobody = 'http://127.0.0.1:9';
  const sets = [
    `trackers.otlp=${nobody}`,
    `notify.webhook=${nobody}/s3cret`,
    'notify.command=[/nowhere/s3cret]',
  ];
  const run = start(t, config, folder, ['--steps', '2', ...sets.flatMap((set) => ['--set', set])]);
  await join(t, run);
  assert.equal(await run.exit(), 0, run.stderr);
  const failures = run.events('notice-failed').map(({ notice, by }) => `${notice} by ${by}`);
  assert.deepEqual(failures.sort(), ['done by command', 'done by webhook']);
  assert.match(
    run.stderr,
    /step 2: the notice "done" did not reach the command: it can't be started: ENOENT/,
  );
  assert.doesNotMatch(run.stderr + contents(folder), /s3cret/);
});

/** Lets no module of OpenTelemetry's SDK be found. */
const ABSENT = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(\`
    export function resolve(specifier, context, next) {
      if (!specifier.startsWith('@opentelemetry/sdk')) return next(specifier, context);
      throw Object.assign(new Error('absent'), { code: 'ERR_MODULE_NOT_FOUND' });
    }\`));
`)}`;

test("without OpenTelemetry's packages the config's endpoint is refused, the environment's left alone", async (t) => {
  const { config, folder } = await tinyRun(t);
  const missing =
    /traces need OpenTelemetry's packages, .*: npm install @opentelemetry\/api@\S+ .*@opentelemetry\/sdk-trace@\S+/;
  const env = { NODE_OPTIONS: `--import "${ABSENT}"` };
  const refused = start(t, config, folder, ['--set', 'trackers.otlp=http://127.0.0.1:9'], env);
  assert.equal(await refused.exit(), 1);
  assert.match(refused.stderr, new RegExp(`^ardm-coord: ${missing.source}\n$`));

  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  const run = start(t, config, folder, [], { ...env, ...endpoint });
  await run.event('waiting');
  assert.match(run.stderr, missing);
  run.kill('SIGINT');
  assert.equal(await run.exit(), 130);
});
