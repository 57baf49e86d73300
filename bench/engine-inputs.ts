import { open } from 'node:fs/promises';
import { drawOrder } from '../shared/method/orders.js';
import { drawTimeSteps } from '../shared/method/time-steps.js';
import { toOriginal } from '../shared/model/layout.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import { describeCase, SIZES, startExamples, startParameters, type EngineCase } from './engine-cases.js';

interface NamedTensor {
  readonly name: string;
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
  /** Made when it is written, so that no second copy of all parameters is held. */
  readonly data: () => Float32Array | Int32Array;
}

/** Writes the parameters and the batch that PyTorch's side starts from; returns the request to send it. */
export async function writePeerInputs(engineCase: EngineCase, file: string): Promise<object> {
  const { config, model } = describeCase(engineCase);
  const {
    seed,
    training,
    model: { ceWeight, network },
  } = config;
  const { batch } = training;
  const parameters = new Float32Array(model.numParameters);
  startParameters(model, parameters);
  let offset = 0;
  const tensors: NamedTensor[] = model.parameters.map((spec) => {
    const size = spec.shape.reduce((a, b) => a * b, 1);
    const memory = parameters.subarray(offset, (offset += size));
    const data = () => {
      const original = new Float32Array(size);
      toOriginal(spec, memory, original);
      return original;
    };
    return { name: spec.name, dtype: 'F32', shape: spec.originalShape, data };
  });
  const { numPositions } = model;
  const orders = new Int32Array(batch * numPositions);
  for (let nth = 0; nth < batch; nth++) {
    orders.set(drawOrder(stream(seed, PURPOSE.order, 0, nth), numPositions), nth * numPositions);
  }
  const timeSteps = drawTimeSteps(config.model.timeSteps, seed, 0, batch, model);
  tensors.push(
    { name: 'batch/orders', dtype: 'I32', shape: [batch, numPositions], data: () => orders },
    { name: 'batch/timeSteps', dtype: 'I32', shape: [batch], data: () => timeSteps },
    {
      name: 'batch/examples',
      dtype: 'I32',
      shape: [batch, ...model.shape],
      data: () => Int32Array.from(startExamples(config, model)),
    },
  );
  await writeSafetensors(file, tensors);
  return {
    threads: engineCase.threads,
    channelsLast: SIZES[engineCase.size].channelsLast,
    tensors: file,
    numClasses: model.numClasses,
    absorbing: model.absorbing,
    network,
    ceWeight,
    learningRate: training.learningRate,
    clip: training.clip,
    ema: training.ema,
  };
}

async function writeSafetensors(file: string, tensors: readonly NamedTensor[]): Promise<void> {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const begin = end;
    end += shape.reduce((a, b) => a * b, 4);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const handle = await open(file, 'w');
  try {
    await handle.write(length);
    await handle.write(header);
    for (const { data } of tensors) {
      const { buffer, byteOffset, byteLength } = data();
      await handle.write(new Uint8Array(buffer, byteOffset, byteLength));
    }
  } finally {
    await handle.close();
  }
}
