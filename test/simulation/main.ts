// Simulates runs and what may befall them: npm run simulate -- --seeds N [--first-seed K] [--codec KIND] [--trace]
//
// A seed is a run: --first-seed K --seeds 1 --trace shows what happens in it. The last line is JSON: seeds, events, checks, faults by kind,
// violations. Exit codes: 0, 1 where a rule was broken, 2 for wrong arguments.
import { parseArgs } from 'node:util';
import { configSchema } from '../../shared/config/schema.js';
import { simulate } from './simulate.js';
import { Summary } from './summary.js';

function readArguments() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      'first-seed': { type: 'string', default: '0' },
      codec: { type: 'string', default: 'float32' },
      trace: { type: 'boolean', default: false },
    },
  });
  const [numSeeds, first] = [Number(values.seeds), Number(values['first-seed'])];
  if (!Number.isInteger(numSeeds) || numSeeds < 1) throw new Error('--seeds takes a whole number above 0');
  if (!Number.isInteger(first) || first < 0) throw new Error('--first-seed takes a whole number, 0 or more');
  const codec = configSchema.shape.exchange.safeParse({ codec: { kind: values.codec } });
  if (codec.error) throw new Error('--codec takes a kind of exchange.codec');
  return { numSeeds, first, codec: codec.data.codec, trace: values.trace };
}

function argumentsOrEnd() {
  try {
    return readArguments();
  } catch (error) {
    process.stderr.write(`simulate: ${(error as Error).message}\n`);
    return process.exit(2);
  }
}

const { numSeeds, first, codec, trace } = argumentsOrEnd();
const started = performance.now();
const summary = new Summary();
for (let seed = first; seed < first + numSeeds; seed++) {
  const result = await simulate(seed, { codec, trace: trace ? (line) => console.log(line) : undefined });
  summary.add(result);
  for (const violation of result.violations) process.stderr.write(`seed ${seed}: ${violation}\n`);
  const done = seed - first + 1;
  if (done % 100 !== 0) continue;
  const rate = done / ((performance.now() - started) / 1000);
  process.stderr.write(`${done}/${numSeeds} seeds, ${rate.toFixed(1)}/s\n`);
}
console.log(JSON.stringify(summary));
process.exitCode = summary.numViolations > 0 ? 1 : 0;
