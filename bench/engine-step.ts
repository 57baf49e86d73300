import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bytesOf } from '../shared/method/classes.js';
import { summarize } from '../shared/method/bound.js';
import { Replica } from '../shared/optimizer/replica.js';
import { planUpdate } from '../shared/optimizer/update.js';
import { Lanes } from '../worker/lanes.js';
import { computeDeal, type SubtreeSum } from '../worker/slices.js';
import { describeCase, startExamples, startParameters, type EngineCase } from './engine-cases.js';
import type { StepAnswer } from './engine.js';

/**
 * Our side of `npm run bench -- engine`, spoken to as bench/peers/training.py is: the first line of stdin names the case, each
 * further line runs one training step as a worker does, one slice a lane of one thread.
 */
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const engineCase = JSON.parse((await lines.next()).value as string) as EngineCase;
const { config, model } = describeCase(engineCase);
const { batch, slices } = config.training;
const examples = bytesOf(startExamples(config, model));
const replica = new Replica(model.numParameters, model.numSteps);
startParameters(model, replica.parameters);
replica.ema.set(replica.parameters);
const lanes = await Lanes.start(engineCase.threads, { cpu: true }, (error) => {
  throw error;
});
const { shape, numClasses } = model;
await lanes.load({ config, shape, numClasses, numTestExamples: 1, memory: replica.memory });
/** Gradient buffers that are free. */
const free: SharedArrayBuffer[] = [];

for (let numSteps = 0; !(await lines.next()).done; numSteps++) {
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  const { loss, gradientNorm } = await step(numSteps);
  const cpu = process.cpuUsage(cpuStarted);
  const answer: StepAnswer = {
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    loss,
    gradientNorm,
    peakBytes: peakBytes(),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await lanes.close();

/** Loss, gradients, norm and update; the batch and its draws are those of step 0 every time. */
async function step(numSteps: number): Promise<Pick<StepAnswer, 'loss' | 'gradientNorm'>> {
  const deal = { step: 0, begin: 0, end: slices, examples };
  const sum = await new Promise<SubtreeSum>((done, reject) => {
    computeDeal(deal, batch / slices, lanes, new AbortController().signal, {
      take: () => free.pop() ?? new SharedArrayBuffer(4 * model.numParameters),
      give: (buffer) => void free.push(buffer),
      done,
      nonfinite: (_, tensor) => reject(new Error(`the gradient of ${tensor} is not finite`)),
    }).catch(reject);
  });
  replica.gradient.set(new Float32Array(sum.buffer));
  free.push(sum.buffer);
  const squaredNorm = replica.squaredNorm();
  const update = planUpdate(config.training, numSteps, squaredNorm);
  await lanes.run('apply', { update, statistics: sum, hash: false });
  const { loss } = summarize(sum.timeSteps, sum.logLikelihoods, model, config.model.ceWeight);
  return { loss, gradientNorm: Math.sqrt(squaredNorm) };
}

function peakBytes(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
}
