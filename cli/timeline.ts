import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { InvalidArgumentError, type Command } from 'commander';
import { UserError } from '../shared/errors.js';
import { filesOf } from '../shared/event-files.js';
import { LoggedEvent } from '../shared/page/logged-event.js';
import { RunFolder } from '../shared/page/run-folder.js';
import { count } from '../shared/words.js';
import { checkWritable, writeOutput } from './output-file.js';
import { Timeline, type StepRange } from './trace-events.js';

interface Flags {
  readonly steps?: StepRange;
  readonly out?: string;
}

/** So many characters are written at once. */
const PIECE = 65_536;

/** `ardm timeline`: where the time of a run's steps went, for a viewer of traces. */
export function register(program: Command): void {
  program
    .command('timeline')
    .description("a timeline of a run's steps for ui.perfetto.dev or chrome://tracing, from its event log")
    .argument('<run>', 'run folder')
    .option('--steps <first:last>', 'only these, both included; either may be left out', stepRange)
    .option('-o, --out <file>', 'the JSON file (default: timeline.json in the run folder)')
    .action(timeline);
}

async function timeline(folder: string, flags: Flags): Promise<void> {
  await new RunFolder('0', folder).check();
  const file = flags.out ?? path.join(folder, 'timeline.json');
  await checkWritable(file);
  const drawn = new Timeline(flags.steps ?? { first: 0, last: Infinity });
  await writeOutput(file, json(drawn, path.join(folder, 'events.jsonl')));
  console.log(`${file}: ${count(drawn.numSteps, 'step')}; open it at https://ui.perfetto.dev`);
  if (!drawn.hasWork && drawn.numSteps > 0)
    console.error(
      'There are no times by worker: train with --set trackers.timeline=true, and steps from then on have them',
    );
}

function stepRange(text: string): StepRange {
  const [, first, last] = /^(\d*):(\d*)$/.exec(text) ?? [];
  const range = { first: Number(first || 0), last: last ? Number(last) : Infinity };
  if (first === undefined || range.first > range.last)
    throw new InvalidArgumentError('It must be FIRST:LAST, such as 100:200.');
  return range;
}

/** The timeline of a log as JSON, in pieces: a run's may be larger than memory. */
async function* json(drawn: Timeline, log: string): AsyncGenerator<Buffer> {
  let piece = '{"displayTimeUnit":"ms","traceEvents":[\n';
  for await (const line of linesOf(log)) {
    const event = LoggedEvent.parse(line);
    for (const traced of event ? drawn.take(event) : []) piece += `${JSON.stringify(traced)},\n`;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  const names = drawn.names().map((name) => JSON.stringify(name));
  yield Buffer.from(`${piece}${names.join(',\n')}\n]}\n`);
}

async function* linesOf(log: string): AsyncGenerator<string> {
  try {
    for (const file of filesOf(log))
      yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  } catch (error) {
    throw new UserError(`can't read ${log}: ${(error as Error).message}`, undefined, { cause: error });
  }
}
