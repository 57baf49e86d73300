import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { EXIT } from '../shared/errors.js';
import { eventLine } from './event-log.js';
import { clean, duration, eventText } from './event-text.js';
import type { Observer, RunEvent } from './events.js';
import { Pulse } from './pulse.js';
import { StatusLine, type Output } from './status-line.js';

export interface ProgressOptions {
  /** Events as JSON lines on stdout instead of words on stderr. */
  readonly json: boolean;
  /** Where things are, for the summary at the end. */
  readonly paths: { readonly checkpoints: string; readonly events: string };
  /** What to try next, a line each. */
  readonly next: readonly string[];
}

export interface ProgressStreams {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const INTERRUPTED: readonly number[] = [EXIT.interrupted, EXIT.terminated];

/** Off a terminal: a line each so many of the run, but not more often, and not less often. */
const LINES_A_RUN = 20;
const MIN_LINE_MS = 5_000;
const MAX_LINE_MS = 60_000;

/**
 * Tells a person how the run goes, on stderr: a status line on a terminal, plain lines elsewhere; joins, leaves,
 * evaluations, samples and checkpoints get a line that stays. With `json`, every event as a JSON line on stdout.
 * `close` takes the status line away; the run's last event does so too.
 */
export function createProgress(
  options: ProgressOptions,
  streams: ProgressStreams = process,
): Observer & { close(): void } {
  const out = options.json ? streams.stdout : streams.stderr;
  // Whoever read the output may be gone; the run goes on.
  let open = true;
  out.on('error', () => (open = false));
  const status = !options.json && isTerminal(streams) ? new StatusLine(out) : undefined;
  const colors = pico.createColors(status !== undefined && !streams.env.NO_COLOR);
  const observe = options.json
    ? (event: RunEvent, time: number) => void out.write(eventLine(event, time))
    : createWords(options, out, status, colors);
  return Object.assign((event: RunEvent, time: number) => void (open && observe(event, time)), {
    close: () => status?.close(),
  });
}

function isTerminal({ stderr, env }: ProgressStreams): boolean {
  return stderr.isTTY === true && env.TERM !== 'dumb';
}

function createWords(
  { paths, next }: ProgressOptions,
  out: Output,
  status: StatusLine | undefined,
  colors: Colors,
): Observer {
  const pulse = new Pulse();
  const pace = new Pace();
  let grid: string | undefined;

  const print = (text: string) => {
    for (const line of text.split('\n')) {
      if (status) status.print(line);
      else out.write(`${line}\n`);
    }
  };
  const summary = (event: RunEvent & { event: 'done' | 'failed' }) => {
    status?.close();
    if (event.event === 'done') {
      print(colors.green(`done at step ${event.step} after ${duration(event.seconds)}`) + pulse.finalLoss());
    } else {
      print(colors.red(`stopped at step ${event.step}: `) + clean(event.reason));
    }
    if (grid) print(`  samples      ${colors.cyan(grid)}`);
    print(`  checkpoints  ${colors.cyan(paths.checkpoints)}`);
    print(`  events       ${colors.cyan(paths.events)}`);
    if (event.event === 'failed') {
      if (INTERRUPTED.includes(event.exitCode)) print('the same command goes on from here');
      return;
    }
    if (next.length > 0) print(`try next\n${next.map((line) => `  ${line}`).join('\n')}`);
  };

  return (event, time) => {
    pulse.feel(event);
    if (event.event === 'samples') grid = event.path;
    const text = eventText(event, colors);
    if (text !== undefined) print(text);
    if (event.event === 'done' || event.event === 'failed') return summary(event);
    const parts = pulse.parts(colors);
    if (status) status.show(parts);
    else if (event.event === 'waiting') print(parts.join('  '));
    else if (event.event === 'step' && pace.isDue(event.step, pulse.steps, time)) print(parts.join('  '));
  };
}

/** Which steps get a plain line: the first, the last, and what lies far enough apart in steps and time. */
class Pace {
  #step = -Infinity;
  #time = -Infinity;

  isDue(step: number, steps: number, time: number): boolean {
    const share = Math.floor((step * LINES_A_RUN) / steps) > Math.floor((this.#step * LINES_A_RUN) / steps);
    const passed = time - this.#time;
    if (step < steps && !(passed >= MAX_LINE_MS || (share && passed >= MIN_LINE_MS))) return false;
    this.#step = step;
    this.#time = time;
    return true;
  }
}
