import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../shared/errors.js';
import { SIZES, type EngineCase, type SizeName } from './engine-cases.js';
import { writePeerInputs } from './engine-inputs.js';
import { LineProcess } from './line-process.js';
import { findPytorch, type Pytorch } from './peers/pytorch.js';
import { atLeast, atMost, summarize, type Findings, type Row, type Target } from './report.js';

/** What either side answers to a line that asks for a step. */
export interface StepAnswer {
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
  /** Bits per dimension. */
  readonly loss: number;
  readonly gradientNorm: number;
  /** Resident, of the whole process, since it began. */
  readonly peakBytes: number;
  /** PyTorch: how much of it is CUDA libraries, which its wheel loads even where there is no GPU. */
  readonly cudaBytes?: number;
}

export interface EngineOptions {
  readonly sizes: readonly SizeName[];
  readonly threads: readonly number[];
  /** Timed steps of each side; absent: the size's own. */
  readonly rounds: number | undefined;
  /** Gives PyTorch an allocator that keeps freed memory. */
  readonly tunedPeer: boolean;
}

/** Relative differences up to which both sides count as computing the same. */
const TOLERANCE = { loss: 1e-4, gradientNorm: 1e-3 };

/** One training step (loss, gradients, norm, clip, Adam, moving average) against PyTorch's, alternating. */
export async function benchEngine(options: EngineOptions, say: (line: string) => void): Promise<Findings> {
  const { sizes, threads, tunedPeer } = options;
  const pytorch = findPytorch();
  const peer = typeof pytorch === 'string' ? undefined : pytorch;
  if (typeof pytorch === 'string') say(pytorch);
  const rows: Row[] = [];
  const targets: Target[] = [];
  for (const engineCase of sizes.flatMap((size) => threads.map((count) => ({ size, threads: count })))) {
    const { size, threads } = engineCase;
    say(`size ${size}, ${threads} thread(s) ...`);
    const { ours, theirs } = await measure(engineCase, options, peer);
    const found = compare(ours, theirs);
    const name = `size ${size}, ${threads} thread(s)`;
    rows.push({ size, threads, batch: Math.max(SIZES[size].batch, threads), ...found.row });
    targets.push(atLeast(`speed against PyTorch, ${name}`, SIZES[size].speed, found.speed));
    targets.push(atMost(`peak memory against PyTorch, ${name}`, SIZES[size].memory, found.memory));
  }
  const method = [
    `ours: a worker's lanes, one slice a thread; PyTorch ${peer?.version ?? '(absent)'}, eager${tunedPeer ? ', allocator that keeps freed memory' : ''}; steps alternate; median (min-max).`,
    'Both checked to compute the same loss and gradient norm. Memory: peak resident, CUDA libraries included.',
  ];
  return { method, rows, targets, notes: typeof pytorch === 'string' ? [pytorch] : [] };
}

interface Steps {
  readonly ours: readonly StepAnswer[];
  readonly theirs: readonly StepAnswer[] | undefined;
}

/** Timed steps of both sides, one at a time, each going first in turn; a first one of each is checked and not timed. */
async function measure(
  engineCase: EngineCase,
  options: EngineOptions,
  peer: Pytorch | undefined,
): Promise<Steps> {
  const rounds = options.rounds ?? SIZES[engineCase.size].rounds;
  const folder = await mkdtemp(path.join(tmpdir(), 'ardm-bench-'));
  const script = fileURLToPath(new URL('./engine-step.js', import.meta.url));
  const sides = [new LineProcess('our side', process.execPath, [script])];
  try {
    sides[0]!.send(engineCase);
    if (peer) {
      sides.push(peer.start(SIZES[engineCase.size].model.network.kind, options.tunedPeer));
      sides[1]!.send(await writePeerInputs(engineCase, path.join(folder, 'inputs.safetensors')));
    }
    const first: StepAnswer[] = [];
    for (const side of sides) first.push(await side.ask<StepAnswer>({}));
    if (peer) checkAgreement(first[0]!, first[1]!);
    const steps: StepAnswer[][] = sides.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const order = [...sides.keys()];
      if (round % 2 === 1) order.reverse();
      for (const nth of order) steps[nth]!.push(await sides[nth]!.ask<StepAnswer>({}));
    }
    return { ours: steps[0]!, theirs: steps[1] };
  } finally {
    await Promise.all(sides.map((side) => side.close()));
    await rm(folder, { recursive: true });
  }
}

/** Throws UserError when the two sides don't compute the same: then their times can't be compared. */
function checkAgreement(ours: StepAnswer, theirs: StepAnswer): void {
  for (const value of ['loss', 'gradientNorm'] as const) {
    const difference = Math.abs(ours[value] / theirs[value] - 1);
    if (!(difference <= TOLERANCE[value])) {
      throw new UserError(
        `the two sides don't compute the same: ${value} is ${ours[value]} here and ${theirs[value]} in PyTorch, ` +
          `relative difference ${difference.toExponential(1)}, allowed ${TOLERANCE[value]}`,
      );
    }
  }
}

function compare(ours: readonly StepAnswer[], theirs: readonly StepAnswer[] | undefined) {
  const seconds = (steps: readonly StepAnswer[]) => summarize(steps.map((step) => step.seconds));
  const cpuSeconds = (steps: readonly StepAnswer[]) => summarize(steps.map((step) => step.cpuSeconds)).median;
  const ourPeak = ours.at(-1)!.peakBytes;
  const theirPeak = theirs?.at(-1)!.peakBytes;
  const theirCuda = theirs?.at(-1)!.cudaBytes;
  const speed = theirs && seconds(theirs).median / seconds(ours).median;
  const memory = theirPeak && ourPeak / theirPeak;
  return {
    speed,
    memory,
    row: {
      'ours s': seconds(ours),
      'torch s': theirs && seconds(theirs),
      'torch/ours': speed,
      'ours CPU s': cpuSeconds(ours),
      'torch CPU s': theirs && cpuSeconds(theirs),
      'ours GB': ourPeak / 1e9,
      'torch GB': theirPeak && theirPeak / 1e9,
      'ours/torch GB': memory,
      'torch CUDA GB': theirCuda && theirCuda / 1e9,
    },
  };
}
