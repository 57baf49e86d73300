import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../shared/config/schema.js';
import { simulate } from './simulate.js';
import { Summary } from './summary.js';
import { FAILPOINTS } from './failpoints.js';

const SEEDS = 1000;

test(`${SEEDS} runs, whatever befalls them, keep every rule and end with the same weights`, async (t) => {
  const summary = new Summary();
  for (let seed = 0; seed < SEEDS; seed++) summary.add(await simulate(seed));
  t.diagnostic(JSON.stringify(summary));
  assert.deepEqual(summary.toJSON().violations, []);
  const expected = [
    ...Object.keys(FAILPOINTS).map((name) => `killed at: ${name}`),
    ...['connection cut', 'coordinator frozen', 'coordinator killed', 'coordinator stopped', 'damaged frame'],
    ...['damaged header', 'flapping', 'full disk', 'gradient not finite', 'late join', 'messages replayed'],
    ...[
      'partition',
      'power failure',
      'rotten byte',
      'slow link',
      'slow worker',
      'torn write',
      'worker ahead',
    ],
    ...['worker frozen', 'worker killed', 'worker stopped'],
  ];
  assert.deepEqual(Object.keys(summary.faults), expected.sort());
});

/** Enough for every kind of fault. */
const LOSSY_SEEDS = 150;

for (const kind of ['bf16', 'int8'])
  test(`${kind}: ${LOSSY_SEEDS} runs, whatever befalls them, end with the same weights`, () =>
    noViolations({ kind }));

for (const codec of [{ kind: 'int8', rounding: 'feedback' }, { kind: 'top-k' }, { kind: 'power-sgd' }])
  test(`${codec.kind} with feedback: in ${LOSSY_SEEDS} runs, whatever befalls them, all replicas agree`, () =>
    noViolations(codec));

async function noViolations(settings: object): Promise<void> {
  const { codec } = configSchema.shape.exchange.parse({ codec: settings });
  const summary = new Summary();
  for (let seed = 0; seed < LOSSY_SEEDS; seed++) summary.add(await simulate(seed, { codec }));
  assert.deepEqual(summary.toJSON().violations, []);
}

test('a seed is a run: the same events come each time', async () => {
  const runOf = async (seed: number) => {
    const lines: string[] = [];
    const result = await simulate(seed, { trace: (line) => lines.push(line) });
    // Names of the run and of temporary files are drawn by the system.
    return { result, lines: lines.map((line) => line.slice(0, 40).replace(/writing.*/, '')) };
  };
  for (const seed of [3, 4, 5]) {
    const { result, lines } = await runOf(seed);
    assert.ok(lines.length > 100);
    assert.deepEqual(await runOf(seed), { result, lines });
  }
});
