import type { Command } from 'commander';
import { loadConfig } from '../shared/config/load.js';
import { UsageError, UserError } from '../shared/errors.js';
import type { RunStatus } from '../shared/page/views.js';
import { StopSignals } from '../shared/stop-signals.js';
import { statusLine, statusText } from './status-text.js';
import { watchChanges } from './watch-changes.js';

const DEFAULT_URL = 'http://127.0.0.1:9464';
const ANSWER_MS = 10_000;
/** Off a terminal a line each so often, unless the state changes. */
const LINE_MS = 10_000;

interface Flags {
  readonly config?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** `ardm status`: what a running coordinator says of its run. */
export function register(program: Command): void {
  program
    .command('status')
    .description('how a run is doing: progress, speed, time left, workers, and why it waits')
    .argument('[url]', `the coordinator's HTTP address (default: ${DEFAULT_URL})`)
    .option('--config <file>', "take the address from a run's config")
    .option('--watch', 'go on until the run ends: on a terminal in place, elsewhere line by line')
    .option('--json', 'as JSON; with --watch a line each time')
    .action(status);
}

async function status(given: string | undefined, flags: Flags): Promise<void> {
  const url = await addressOf(given, flags.config);
  if (flags.watch) return watch(url, flags.json ?? false);
  const runs = await ask(url);
  console.log(
    flags.json ? JSON.stringify(runs, undefined, 2) : runs.map((run) => statusText(run)).join('\n\n'),
  );
}

async function addressOf(given: string | undefined, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    if (given !== undefined) throw new UsageError('give a URL or --config, not both');
    const { http } = (await loadConfig(file, [])).config;
    if (/:0$/.test(http))
      throw new UsageError(
        `${file} has http: ${http}, any free port: give the URL that the coordinator told`,
      );
    return `http://${http}`;
  }
  const url = given ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`"${url}" is no address of a coordinator: expected a URL such as ${DEFAULT_URL}`);
  return url;
}

/** @throws UserError where nobody answers, or somebody else */
async function ask(url: string): Promise<RunStatus[]> {
  const answer = await get(new URL('/api/status', url), AbortSignal.timeout(ANSWER_MS)).catch(
    (error: unknown) => {
      // What fetch says is only that it failed.
      const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
      throw new UserError(
        `nobody answers at ${url} (${typeof code === 'string' ? code : message}). ` +
          'The coordinator tells its address when it starts, and in the listen event of its event log: ardm status URL. ' +
          'For a run that has ended there is ardm view RUN',
        undefined,
        { cause: error },
      );
    },
  );
  const runs = answer.ok ? parsed(answer.text) : undefined;
  if (runs) return runs;
  throw new UserError(
    `what answers at ${url} is no coordinator of this version of ardm (HTTP ${answer.status}). Name another address: ardm status URL`,
  );
}

async function get(url: URL, signal: AbortSignal): Promise<{ ok: boolean; status: number; text: string }> {
  const answer = await fetch(url, { signal });
  return { ok: answer.ok, status: answer.status, text: await answer.text() };
}

function parsed(text: string): RunStatus[] | undefined {
  try {
    const runs = JSON.parse(text) as RunStatus[];
    return Array.isArray(runs) && runs.every((run) => run.progress && Array.isArray(run.workers))
      ? runs
      : undefined;
  } catch {
    return undefined;
  }
}

async function watch(url: string, json: boolean): Promise<void> {
  const stopping = new StopSignals();
  const show = json
    ? showJson
    : process.stdout.isTTY && process.env.TERM !== 'dumb'
      ? inPlace()
      : lineByLine();
  const hasEnded = ({ progress: { state } }: RunStatus) => state === 'done' || state === 'failed';
  try {
    let runs = await ask(url);
    show(runs);
    if (runs.every(hasEnded)) return;
    for await (const changes of watchChanges(url, runs, stopping.signal)) {
      // The last word may come from one that answers no more.
      const before = runs;
      runs = await ask(url).catch(() => before.map((run, i) => ({ ...run, progress: changes[i]!.progress })));
      show(runs);
      if (runs.every(hasEnded)) return;
    }
    if (stopping.signal.aborted) throw stopping.signal.reason;
    throw new UserError(
      `the coordinator at ${url} is gone, at step ${runs[0]!.progress.step}: its event log has the last that it told`,
    );
  } finally {
    stopping.close();
  }
}

type Show = (runs: readonly RunStatus[]) => void;

const showJson: Show = (runs) => console.log(JSON.stringify(runs));

/** Writes over what it wrote before. */
function inPlace(): Show {
  let numLines = 0;
  return (runs) => {
    const lines = runs
      .map((run) => statusText(run))
      .join('\n\n')
      .split('\n');
    const width = process.stdout.columns || 80;
    const shown = lines.slice(0, (process.stdout.rows || 24) - 1).map((line) => line.slice(0, width - 1));
    process.stdout.write(`${numLines > 0 ? `\x1b[${numLines}A` : ''}\x1b[J${shown.join('\n')}\n`);
    numLines = shown.length;
  };
}

function lineByLine(): Show {
  let toldAt = -Infinity;
  let told = '';
  return (runs) => {
    const now = performance.now();
    const states = runs.map(({ progress: { state, reason } }) => `${state} ${reason}`).join();
    if (states === told && now - toldAt < LINE_MS) return;
    [told, toldAt] = [states, now];
    for (const run of runs) console.log(statusLine(run));
  };
}
