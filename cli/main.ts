import { Command } from 'commander';
import { exitCodeOf, throwing } from '../shared/cli.js';
import { EngineError } from '../shared/engine/engine.js';
import { EXIT, UserError } from '../shared/errors.js';
import { version } from '../shared/package.js';
import * as checkpoint from './checkpoint.js';
import * as completion from './complete.js';
import * as compress from './compress.js';
import * as data from './data.js';
import * as decompress from './decompress.js';
import * as doctor from './doctor.js';
import * as evaluation from './eval.js';
import * as exporting from './export.js';
import * as inspect from './inspect.js';
import * as keys from './keys.js';
import * as plan from './plan.js';
import * as sample from './sample.js';
import * as status from './status.js';
import * as timeline from './timeline.js';
import * as view from './view.js';

const EXAMPLES = `
Examples:
  ardm doctor                     what this machine can train on
  ardm data fetch cifar10
  ardm sample runs/mnist --num 16 --budget 200 --out digits.png
  ardm sample runs/mnist --frames 8               and how they came to be
  ardm complete runs/mnist test:0-8 --known 0.5   the lower halves of test digits
  ardm eval runs/mnist --examples 1000 --budget 50 --budget 20
  ardm plan runs/mnist -o plan.svg   what fewer network calls cost
  ardm plan runs/mnist --budget 50 --save fifty.json
  ardm sample runs/mnist --policy fifty.json
  ardm export runs/mnist -o mnist.safetensors
  ardm compress runs/mnist -r digits -o digits.ardm
  ardm decompress digits.ardm -o back --model mnist.safetensors
  ardm checkpoint list runs/mnist
  ardm keys new                   so that workers on other machines may join
  ardm status --watch             of the run on this machine
  ardm view runs/mnist runs/other   their curves in the browser, one over the other
  ardm timeline runs/mnist --steps 100:200   where the time went, for ui.perfetto.dev

Training is ardm-coord and ardm-worker: see their --help.`;

/** In the order of the help. */
const COMMANDS: readonly { register(program: Command): void }[] = [
  sample,
  completion,
  evaluation,
  plan,
  exporting,
  compress,
  decompress,
  inspect,
  data,
  checkpoint,
  keys,
  status,
  view,
  timeline,
  doctor,
];

/** The `ardm` command line. */
export function createProgram(): Command {
  const program = throwing(new Command('ardm'))
    .description('What one does with a trained model, and the housekeeping around training.')
    .version(version)
    .addHelpText('after', EXAMPLES);
  for (const { register } of COMMANDS) register(program);
  return program;
}

/** The `ardm` process. Resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    // What a device can't do, such as holding a large model, is no bug.
    if (error instanceof EngineError) throw new UserError(error.message, undefined, { cause: error });
    return exitCodeOf(error);
  }
  return Number(process.exitCode ?? EXIT.done);
}
