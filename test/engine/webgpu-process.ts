import { candidates } from '../../shared/engine/candidates.js';
import { EngineError, type Program } from '../../shared/engine/engine.js';
import { proveEngine, type Proof } from '../../shared/engine/proof.js';
import { tf } from '../../shared/networks/tensors.js';

/** What this process prints, as JSON, of the WebGPU device that its environment gives it. */
export interface WebgpuReport {
  readonly proof: Proof;
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

const webgpu = candidates.find(({ provider }) => provider === 'webgpu')!;
const start = { gpu: 0, threads: 1 };
const engine = await webgpu.start({ ...start, software: true });
const report: WebgpuReport = {
  proof: await proveEngine(engine),
  refusal: await errorOf(() => engine.compile(comparison)),
  hardware: await errorOf(async () => webgpu.start({ ...start, software: false })),
};
console.log(JSON.stringify(report));
