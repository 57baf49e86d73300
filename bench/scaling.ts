import path from 'node:path';
import { loadConfig } from '../shared/config/load.js';
import { openDataset } from '../shared/data/open.js';
import { createOnnxruntimeEngine } from '../shared/engine/onnxruntime.js';
import { describeModel } from '../shared/model/description.js';
import { BareLoop } from './bare-loop.js';
import { timeRun } from './real-run.js';
import { atLeast, summarize, type Findings, type Summary } from './report.js';

export interface ScalingOptions {
  readonly config: string;
  /** Timed steps of each run. */
  readonly steps: number;
  readonly rounds: number;
}

const SLICE_SIZES = [1, 2, 4, 8, 16];

/**
 * Images a second of real runs (coordinator and workers, each a process) against the engine alone over the same slices,
 * and what an image costs in slices of several sizes. All in turn, `rounds` times.
 */
export async function benchScaling(options: ScalingOptions, say: (line: string) => void): Promise<Findings> {
  const { steps, rounds } = options;
  const { config, path: configPath } = await loadConfig(options.config, []);
  const { batch, slices } = config.training;
  const sliceSize = batch / slices;
  const baseFolder = path.dirname(configPath);
  const dataset = await openDataset(config.data, { baseFolder, fetch: true, report: say });
  const model = describeModel(config.model, dataset);
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const loops = new Map<number, BareLoop>();
  for (const size of new Set([sliceSize, ...SLICE_SIZES])) {
    const loop = await BareLoop.create(engine, model, config, dataset, size);
    await loop.run(0, size);
    loops.set(size, loop);
  }

  const stepSeconds: Record<'alone' | 'one' | 'two', number[]> = { alone: [], one: [], two: [] };
  const imageSeconds = new Map(SLICE_SIZES.map((size) => [size, [] as number[]]));
  const numImages = Math.max(...SLICE_SIZES);
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}: the engine alone ...`);
    for (let step = 0; step < steps; step++) {
      stepSeconds.alone.push(await loops.get(sliceSize)!.run(step, batch));
    }
    say(`round ${round} of ${rounds}: 1 worker ...`);
    stepSeconds.one.push(...(await timeRun(configPath, 1, steps)));
    say(`round ${round} of ${rounds}: 2 workers ...`);
    stepSeconds.two.push(...(await timeRun(configPath, 2, steps)));
    say(`round ${round} of ${rounds}: slices of ${SLICE_SIZES.join(', ')} ...`);
    for (const [size, seconds] of imageSeconds) {
      seconds.push((await loops.get(size)!.run(round, numImages)) / numImages);
    }
  }
  await engine.dispose();

  const imagesASecond = (seconds: readonly number[]) => summarize(seconds.map((value) => batch / value));
  const alone = imagesASecond(stepSeconds.alone);
  const one = imagesASecond(stepSeconds.one);
  const two = imagesASecond(stepSeconds.two);
  const row = (measured: string, speed: Summary) => ({
    measured,
    'images/s': speed,
    'of the engine alone': speed.median / alone.median,
  });
  return {
    method: [
      `${config.name}: ${model.numParameters} parameters, batch ${batch} in slices of ${sliceSize}, one CPU thread a worker; median (min-max).`,
      'Runs: processes of their own, times from events.jsonl. The engine alone: the same slices in a loop, no messages, sums or updates.',
    ],
    rows: [
      row(`the engine alone, slices of ${sliceSize}`, alone),
      row('a run with 1 worker', one),
      row('a run with 2 workers', two),
      ...[...imageSeconds].map(([size, seconds]) =>
        row(`the engine alone, slices of ${size}`, summarize(seconds.map((value) => 1 / value))),
      ),
    ],
    targets: [
      atLeast('1 worker against the engine alone', 0.97, one.median / alone.median),
      atLeast('2 workers against 1', 1.9, two.median / one.median),
    ],
    notes: [],
  };
}
