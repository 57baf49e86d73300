import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { EXIT, UserError } from '../shared/errors.js';
import { countGpus } from '../shared/launch/gpus.js';
import { Supervised, type End } from '../shared/launch/supervised.js';
import { StopSignals } from '../shared/stop-signals.js';
import { count } from '../shared/words.js';

/** In a row, for each GPU. */
const RESTARTS = 5;
/** Longer than a worker takes to say goodbye. */
const GRACE_SECONDS = 10;

export interface FleetOptions {
  /** The program, and its arguments but for `--gpu`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Hears every line of theirs, and what the fleet has to say of itself (`gpu` undefined). */
  readonly say: (gpu: number | undefined, line: string) => void;
}

/**
 * Every GPU of this machine.
 *
 * @throws UserError where there is none
 */
export function allGpus(): number[] {
  const numGpus = countGpus();
  if (numGpus > 0) return Array.from({ length: numGpus }, (_, gpu) => gpu);
  throw new UserError(
    'there is no GPU for --gpu all: nvidia-smi tells of none, or CUDA_VISIBLE_DEVICES hides them. ' +
      '--gpu 0 takes one of another kind, --cpu trains without; `ardm doctor` tells what there is',
  );
}

/**
 * A process a GPU: each is started again, with back-off, when it dies, unless it never got into a run; all leave when this process
 * is told to, and end with it however it ends. Resolves with the exit code: 0 where all of them saw the run done.
 */
export async function runFleet(gpus: readonly number[], options: FleetOptions): Promise<number> {
  const stopping = new StopSignals();
  const members = gpus.map((gpu) => startMember(gpu, options));
  stopping.onStop(() => {
    options.say(undefined, `${stopping.name}: ${count(gpus.length, 'worker')} told to leave`);
    for (const member of members) void member.stop(GRACE_SECONDS);
  });
  const codes = await Promise.all(members.map(async ({ ended }) => (await ended).code ?? EXIT.failure));
  stopping.close();
  return stopping.signal.aborted
    ? stopping.exitCode
    : (codes.find((code) => code !== EXIT.done) ?? EXIT.done);
}

function startMember(gpu: number, { program, args, env, say }: FleetOptions): Supervised {
  let hasJoined = false;
  const start = () => {
    // A group of its own: Ctrl-C reaches it through this process alone. The IPC channel closes when this process dies.
    const child = spawn(process.execPath, [program, ...args, '--gpu', String(gpu)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env,
    });
    child.on('message', () => (hasJoined = true));
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output! }).on('line', (line) => say(gpu, line));
    return child as ChildProcess;
  };
  const member = new Supervised({
    start,
    restarts: RESTARTS,
    // What kept it out of the run, or who sent it away, would do so again.
    isFinal: ({ code }) => !hasJoined || (code !== null && code !== EXIT.failure),
    onRestart: ({ attempt, delaySeconds, reason }) =>
      say(gpu, `died (${reason}) and starts again in ${delaySeconds} s, restart ${attempt}`),
  });
  void member.ended.then((end) => tellEnd(end, (line) => say(gpu, line)));
  return member;
}

function tellEnd({ code, deaths, reason }: End, say: (line: string) => void): void {
  if (deaths > 0 && code !== EXIT.done) say(`ended with ${reason} and is not started again`);
}
