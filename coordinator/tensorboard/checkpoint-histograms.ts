import { open } from 'node:fs/promises';
import path from 'node:path';
import { headerLength, LENGTH_BYTES, parseHeader } from '../../shared/checkpoint/safetensors.js';
import { FILES } from '../../shared/checkpoint/state.js';
import { histogramOf } from './histogram.js';
import { histogram, type SummaryValue } from './summary.js';

/** What is drawn of a checkpoint, by its group of tags: Adam's mean gradient is the gradient that there is. */
const DRAWN = { parameters: FILES.parameters, mean_gradient: FILES.firstMoment };

/**
 * A histogram of each tensor of a checkpoint's parameters and of the mean gradient. Takes the memory of the largest tensor.
 *
 * @throws the system's error, for instance where the checkpoint was removed meanwhile
 */
export async function checkpointHistograms(checkpoint: string): Promise<SummaryValue[]> {
  const values: SummaryValue[] = [];
  for (const [group, file] of Object.entries(DRAWN)) {
    for await (const { name, data } of tensorsOf(path.join(checkpoint, file))) {
      const found = histogramOf(data);
      if (found) values.push(histogram(`${group}/${name}`, found));
    }
  }
  return values;
}

async function* tensorsOf(file: string): AsyncGenerator<{ name: string; data: Float32Array }> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const read = async (begin: number, length: number) => {
      const bytes = new Uint8Array(length);
      await handle.read(bytes, 0, length, begin);
      return bytes;
    };
    const length = headerLength(await read(0, LENGTH_BYTES), size);
    const begin = LENGTH_BYTES + length;
    for (const tensor of parseHeader(await read(LENGTH_BYTES, length), size - begin).tensors) {
      const bytes = await read(begin + tensor.begin, tensor.end - tensor.begin);
      yield { name: tensor.name, data: new Float32Array(bytes.buffer) };
    }
  } finally {
    await handle.close();
  }
}
