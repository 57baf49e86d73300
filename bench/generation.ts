import { createOnnxruntimeEngine } from '../shared/engine/onnxruntime.js';
import { naivePolicy } from '../shared/method/policy.js';
import { initializeParameters } from '../shared/model/initialize.js';
import { Sampler } from '../shared/model/sample.js';
import { describeCase, MEDIA, type Medium } from './generation-cases.js';
import { atMost, summarize, type Findings, type Row, type Target } from './report.js';
import { secondsOf, Witness } from './witness.js';

export interface GenerationOptions {
  readonly media: readonly Medium[];
  readonly threads: number;
  /** How often a batch is generated at each budget but the full one, which is taken once. */
  readonly rounds: number;
}

/** Calls a stage, beside one a variable. */
const BUDGETS = [20, 50];
/** Of the bare forward pass, what a call may cost besides. */
const OVERHEAD = 0.05;
/** Bare forward passes a batch, about. */
const NUM_BARE = 200;

/** What generating a batch costs at step budgets, and how much of it is not the network. */
export async function benchGeneration(
  options: GenerationOptions,
  say: (line: string) => void,
): Promise<Findings> {
  const { media, threads } = options;
  const engine = new Witness(await createOnnxruntimeEngine({ provider: 'cpu', threads }));
  const rows: Row[] = [];
  const targets: Target[] = [];
  for (const medium of media) {
    for (const { overhead, row } of await measure(medium, engine, options, say)) {
      rows.push(row);
      targets.push(atMost(`overhead of a call, ${medium}, budget ${row.budget}`, OVERHEAD, overhead));
    }
  }
  await engine.dispose();
  return {
    method: [
      `Batches by fresh models on ${threads} CPU thread(s). Budgets are calls a stage, the last is one a variable.`,
      `Bare: a call run once more, inputs and all, at once; each, or ${NUM_BARE} spread over the batch. Overhead: what a call costs beyond that.`,
    ],
    rows,
    targets,
    notes: [],
  };
}

async function measure(
  medium: Medium,
  engine: Witness,
  options: GenerationOptions,
  say: (line: string) => void,
): Promise<{ overhead: number; row: Row }[]> {
  const { config, description } = describeCase(medium);
  const { batch } = MEDIA[medium];
  const { numPositions, numStages } = description;
  const parameters = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 0, parameters);
  const sampler = await Sampler.create(engine, description, config, batch);
  const generate = (policy: Int32Array) =>
    sampler.run({ parameters, seed: 0, first: 0, count: batch, policy });
  await generate(naivePolicy(numPositions, 1, numStages));

  const found: { overhead: number; row: Row }[] = [];
  for (const budget of [...BUDGETS, numPositions]) {
    say(`${medium}, budget ${budget} ...`);
    const policy = naivePolicy(numPositions, budget, numStages);
    const numCalls = policy.length;
    const seconds: number[] = [];
    const bareSeconds: number[] = [];
    for (let round = 0; round < (budget === numPositions ? 1 : options.rounds); round++) {
      const bare = engine.watch(Math.ceil(numCalls / NUM_BARE));
      seconds.push((await secondsOf(() => generate(policy))) - bare.seconds);
      bareSeconds.push(bare.seconds / bare.count);
    }
    const overheads = seconds.map((all, round) => all / numCalls / bareSeconds[round]! - 1);
    const overhead = summarize(overheads).median;
    found.push({
      overhead,
      row: {
        medium,
        batch,
        budget,
        calls: numCalls,
        's a sample': summarize(seconds.map((all) => all / batch)),
        'ms a call': summarize(seconds.map((all) => (1000 * all) / numCalls)),
        'bare ms': summarize(bareSeconds.map((bare) => 1000 * bare)),
        'overhead %': 100 * overhead,
      },
    });
  }
  return found;
}
