// Real processes, and what may befall them: npm run chaos -- [--seed S] [--minutes M] [--workers N] [--steps N] [--fault-seconds X]
//                                           npm run chaos -- --soak STEPS
//
// The last line is JSON: faults by kind, steps, secondsLost, sha256, referenceSha256; for --soak memory and handles of each process. Exit codes: 0,
// 1 where the weights differ, nothing was injected, something went wrong, or memory or handles grew, 2 for wrong arguments.
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.js';
import { soak } from './soak.js';

const say = (line: string) => void process.stderr.write(`${line}\n`);

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '0' },
      minutes: { type: 'string', default: '1' },
      workers: { type: 'string', default: '3' },
      steps: { type: 'string', default: '500' },
      'fault-seconds': { type: 'string', default: '5' },
      soak: { type: 'string' },
    },
  });
  const number = (name: keyof typeof values, least: number) => {
    const value = Number(values[name]);
    if (!(value >= least)) throw new Error(`--${name} takes a number, ${least} or more`);
    return value;
  };
  return {
    seed: number('seed', 0),
    minutes: number('minutes', 0),
    numWorkers: number('workers', 1),
    steps: number('steps', 1),
    faultSeconds: number('fault-seconds', 0.1),
    soakSteps: values.soak === undefined ? undefined : number('soak', 1),
  };
}

function argumentsOrEnd() {
  try {
    return readArguments();
  } catch (error) {
    say(`chaos: ${(error as Error).message}`);
    return process.exit(2);
  }
}

const { soakSteps, ...options } = argumentsOrEnd();
try {
  if (soakSteps !== undefined) {
    const summary = await soak(soakSteps, say);
    console.log(JSON.stringify(summary));
    process.exitCode = summary.grew ? 1 : 0;
  } else {
    const summary = await runChaos({ ...options, say });
    console.log(JSON.stringify(summary));
    const isQuiet = Object.keys(summary.faults).length === 0;
    if (isQuiet) say('chaos: no fault was injected');
    process.exitCode = isQuiet || summary.sha256 !== summary.referenceSha256 ? 1 : 0;
  }
} catch (error) {
  say(`chaos: ${(error as Error).message}`);
  process.exitCode = 1;
}
