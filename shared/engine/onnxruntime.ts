import * as ort from 'onnxruntime-node';
import { findChannelBlock } from './channel-block.js';
import {
  EngineError,
  type Call,
  type Engine,
  type Executable,
  type InputArray,
  type Program,
  type Provider,
} from './engine.js';
import { CPU_MAP_BYTES } from './map-bytes.js';
import { checkCall, offsetsOf, sizeOf } from './program.js';
import { unshared } from './shared-memory.js';
import { GPU_FORMS, type Forms } from './trace/builder.js';
import { encodeOnnx } from './trace/encode.js';
import { Graph, nameOf, type Value } from './trace/graph.js';
import { traceProgram, type Trace } from './trace/trace.js';
import { describeUnsupported } from './unsupported.js';

export interface OnnxruntimeOptions {
  readonly provider: Provider;
  /** Index of the GPU; WebGPU has the system's first one only. */
  readonly device?: number;
  /** Threads inside an operation, on CPUs. */
  readonly threads: number;
  /** Forms to record instead of the provider's own: how a CPU checks what GPUs run. */
  readonly forms?: Forms;
}

// What goes wrong is thrown; a GPU that is looked for in vain is no news.
ort.env.logLevel = 'fatal';

/**
 * Programs traced to ONNX and run by ONNX Runtime. On one kind of CPU the same call gives the same bytes, whatever
 * the number of threads.
 *
 * Throws EngineError where this build of ONNX Runtime lacks the provider or can't start it.
 */
export async function createOnnxruntimeEngine(options: OnnxruntimeOptions): Promise<Engine> {
  const { provider, device = 0, threads } = options;
  const version = `onnxruntime ${ort.env.versions.node}`;
  const available = ort.listSupportedBackends().map(({ name }) => name);
  if (!available.includes(provider))
    throw new EngineError(`${version} was built without ${provider}; it has ${available.join(', ')}.`);
  if (provider === 'webgpu' && device !== 0)
    throw new EngineError(`${version} runs WebGPU on the first GPU only, not on GPU ${device}.`);
  if (provider !== 'cpu') await startProvider(options);
  const forms = provider === 'cpu' ? await cpuForms() : GPU_FORMS;
  const where = provider === 'cpu' ? `${threads} thread${threads === 1 ? '' : 's'}` : `GPU ${device}`;
  return {
    name: 'onnxruntime',
    provider,
    description: `${version}, ${provider}, ${where}`,
    ...(provider === 'cpu' ? { mapBytes: CPU_MAP_BYTES } : {}),
    compile: (program) => compile(program, { forms, ...options }),
    dispose: () => Promise.resolve(),
  };
}

function sessionOptions({
  provider,
  device = 0,
  threads,
  forms,
}: OnnxruntimeOptions): ort.InferenceSession.SessionOptions {
  const common = {
    interOpNumThreads: 1,
    intraOpNumThreads: threads,
    // Blocked forms are recorded fused; looking for more to fuse finds nothing, in a time that grows faster than the graph.
    graphOptimizationLevel: forms && forms.channelBlock > 0 ? 'disabled' : 'all',
    enableCpuMemArena: true,
    // Its patterns nearly double the memory and save no time.
    enableMemPattern: false,
    logSeverityLevel: 4,
  } as const;
  if (provider === 'cpu') return { ...common, executionProviders: ['cpu'] };
  return {
    ...common,
    executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId: device } : provider],
    extra: { session: { disable_cpu_ep_fallback: '1', use_deterministic_compute: '1' } },
  };
}

/** Loads a model of one addition, so that a GPU that can't be used is told apart from an operation that it lacks. */
async function startProvider(options: OnnxruntimeOptions): Promise<void> {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1]);
  const [sum] = graph.add('Add', [x, x], 'float32', [[1]]) as [Value];
  const model = encodeOnnx(graph.prune([sum]), new Map([['sum', sum]]));
  try {
    const session = await ort.InferenceSession.create(model, sessionOptions(options));
    await session.release();
  } catch (error) {
    throw new EngineError(`onnxruntime cannot start ${options.provider}: ${words(error)}`);
  }
}

let ownForms: Promise<Forms> | undefined;

/** The forms for this machine's CPU. */
function cpuForms(): Promise<Forms> {
  const create = (model: Uint8Array) =>
    ort.InferenceSession.create(model, sessionOptions({ provider: 'cpu', threads: 1 }));
  ownForms ??= findChannelBlock(create).then((channelBlock) => ({ device: 'cpu', channelBlock }));
  return ownForms;
}

async function compile(
  program: Program,
  options: OnnxruntimeOptions & { readonly forms: Forms },
): Promise<Executable> {
  const { provider, forms } = options;
  const trace = traceProgram(program, forms);
  const create = (model: Uint8Array) => ort.InferenceSession.create(model, sessionOptions(options));
  try {
    return new Session(program, trace, await create(encodeOnnx(trace.graph, trace.outputs)));
  } catch (error) {
    const cause = await describeUnsupported(trace.graph, create);
    throw new EngineError(
      `${program.name} does not run on onnxruntime's provider ${provider}: ${cause ?? words(error)}`,
    );
  }
}

class Session implements Executable {
  readonly program: Program;
  readonly #trace: Trace;
  readonly #session: ort.InferenceSession;
  readonly #offsets: readonly number[];

  constructor(program: Program, trace: Trace, session: ort.InferenceSession) {
    this.program = program;
    this.#trace = trace;
    this.#session = session;
    this.#offsets = offsetsOf(program.parameters);
  }

  async run(call: Call): Promise<void> {
    const { program } = this;
    checkCall(program, call);
    const { parameters, inputs, outputs, gradients } = call;
    const wanted = new Set(this.#session.inputNames);
    const feeds: Record<string, ort.Tensor> = {};
    for (const { parameter, offset, value } of this.#trace.views) {
      const from = this.#offsets[parameter]! + offset;
      const part = parameters.subarray(from, from + sizeOf(value.shape));
      if (wanted.has(value.name)) feeds[value.name] = tensor(part, 'float32', value.shape);
    }
    for (const { name, dtype, shape } of program.inputs)
      if (wanted.has(nameOf.input(name))) feeds[nameOf.input(name)] = tensor(inputs[name]!, dtype, shape);
    const fetches: Record<string, ort.Tensor> = {};
    for (const { name, shape } of program.outputs)
      fetches[nameOf.output(name)] = tensor(outputs[name]!, 'float32', shape);
    this.#trace.gradients.forEach((parts, i) => {
      let from = this.#offsets[i]!;
      for (const name of parts) {
        const { shape } = this.#trace.outputs.get(name)!;
        fetches[name] = tensor(gradients!.subarray(from, (from += sizeOf(shape))), 'float32', shape);
      }
      if (parts.length === 0) gradients!.fill(0, from, from + sizeOf(program.parameters[i]!.shape));
    });
    try {
      await this.#session.run(feeds, fetches);
    } catch (error) {
      throw new EngineError(`${program.name}: onnxruntime failed: ${words(error)}`);
    }
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** A tensor on the caller's memory. */
function tensor(array: InputArray, type: Value['type'], shape: readonly number[]): ort.Tensor {
  return new ort.Tensor(type as 'float32', unshared(array) as Float32Array, shape);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
