import { candidates } from '../../shared/engine/candidates.js';
import { EngineError, type Program } from '../../shared/engine/engine.js';
import { proveEngine, worstDifference, type Proof } from '../../shared/engine/proof.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { tf } from '../../shared/networks/tensors.js';
import { smallDiffwave } from '../networks/small-diffwave.js';

/** What this process prints, as JSON, of the WebGPU device that its environment gives it. */
export interface WebgpuReport {
  readonly proof: Proof;
  /** How far a training step of an audio network is from the reference's, relative. */
  readonly audio: number;
  /** The error for a program with an operation that WebGPU lacks. */
  readonly refusal: string;
  /** The error for wanting a hardware device. */
  readonly hardware: string;
}

/** onnxruntime has flags to the power of flags on CPUs only. */
const comparison: Program = {
  name: 'comparison of flags',
  parameters: [{ name: 'a', shape: [3] }],
  inputs: [],
  outputs: [{ name: 'y', shape: [3] }],
  build(_, [a]) {
    const positive = tf.greater(a!, 0);
    return { y: tf.cast(tf.equal(positive, positive), 'float32') };
  },
};

async function errorOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'none';
  } catch (error) {
    return error instanceof EngineError ? error.message : `not an EngineError: ${error}`;
  }
}

async function differenceOfAudio(): Promise<number> {
  const { program, call } = smallDiffwave({ length: 24, batch: 2 });
  const [expected, actual] = [call(), call()];
  await (await createReferenceEngine().compile(program)).run(expected);
  await (await engine.compile(program)).run(actual);
  return worstDifference(program, actual, expected).difference;
}

const webgpu = candidates.find(({ provider }) => provider === 'webgpu')!;
const start = { gpu: 0, threads: 1 };
const engine = await webgpu.start({ ...start, software: true });
const report: WebgpuReport = {
  proof: await proveEngine(engine),
  audio: await differenceOfAudio(),
  refusal: await errorOf(() => engine.compile(comparison)),
  hardware: await errorOf(async () => webgpu.start({ ...start, software: false })),
};
console.log(JSON.stringify(report));
