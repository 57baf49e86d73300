import type { RunEvent } from '../../coordinator/events.js';

/** When the made-up run starts: ms since 1970. */
export const STARTED_AT = Date.UTC(2022, 3, 25, 12);

/** Events of a run that saw every kind of trouble and came through: `steps` steps of 64 examples, a second each. */
export function madeUpRun(steps = 10): [RunEvent, number][] {
  const events: RunEvent[] = [
    {
      event: 'start',
      step: 0,
      run: 'a-run',
      version: '1.2.3',
      configHash: 'c0ffee',
      numParameters: 885_249,
      steps,
      batch: 64,
      slices: 8,
    },
    { event: 'listen', step: 0, workers: 'tcp://127.0.0.1:5670', http: 'http://127.0.0.1:9464' },
    { event: 'resume', step: 0, checkpoint: 'runs/x/checkpoints/step-0', skipped: ['step-5: truncated'] },
    { event: 'waiting', step: 0, reason: '0 of at least 2 workers ready' },
    { event: 'join', step: 0, slot: 0, pid: 100, host: 'alpha', device: 'onnxruntime, cpu', incarnation: 1 },
    { event: 'join', step: 0, slot: 1, pid: 101, host: 'beta', device: 'onnxruntime, cpu', incarnation: 2 },
    { event: 'dropped', step: 0, slot: -1, message: 'hello', reason: 'the worker runs ardm 0.9' },
  ];
  for (let step = 1; step <= steps; step++) events.push(stepEvent(step));
  events.push(
    { event: 'nonfinite', step: steps, slot: 1, tensor: 'block.0.conv.weight' },
    { event: 'redeal', step: steps, slices: 3, reason: 'worker 1 was lost' },
    { event: 'divergence', step: steps, slot: 1, expected: 'aa', found: 'bb' },
    { event: 'leave', step: steps, slot: 1, pid: 101, reason: 'silent for 5 s', members: 1 },
    { event: 'restart', step: steps, slot: 1, attempt: 1, delaySeconds: 1, reason: 'SIGKILL' },
    { event: 'dropped', step: steps, slot: 0, message: 'gradient', reason: 'not dealt to it' },
    { event: 'checkpoint-failed', step: steps, reason: 'no space left on device (ENOSPC)' },
    {
      event: 'evaluation',
      step: steps,
      split: 'test',
      bitsPerDim: 1.25,
      standardError: 0.01,
      examples: 1000,
      seconds: 12,
    },
    {
      event: 'samples',
      step: steps,
      path: `runs/x/samples/step-${steps}.png`,
      count: 64,
      budget: 50,
      seconds: 3,
    },
    {
      event: 'checkpoint',
      step: steps,
      path: `runs/x/checkpoints/step-${steps}`,
      sha256: 'f00d',
      bytes: 14_200_000,
      seconds: 0.4,
      snapshotSeconds: 0.02,
      warnings: ['cannot remove runs/x/checkpoints/step-5: EACCES'],
    },
    { event: 'done', step: steps, seconds: 75, sha256: 'f00d' },
  );
  return events.map((event) => [event, STARTED_AT + 1000 * event.step]);
}

/** A step of one second, half of it computing, its bound falling from 3 bits per dimension. */
export function stepEvent(step: number): RunEvent & { event: 'step' } {
  return {
    event: 'step',
    step,
    bitsPerDim: 3 / step,
    loss: 3,
    gradientNorm: 0.5,
    clipFactor: 1,
    learningRate: 1e-4,
    epoch: step / 8,
    seconds: 1,
    phases: { compute: 0.5, upload: 0.25, reduce: 0.01, publish: 0.002 },
    members: 2,
    bytesIn: 1000,
    bytesOut: 3000,
    bytesByType: { in: { gradient: 900, alive: 100 }, out: { average: 2000, deal: 1000 } },
  };
}
