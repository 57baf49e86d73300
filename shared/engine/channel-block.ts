import * as ort from 'onnxruntime-node';
import { encodeOnnx } from './trace/encode.js';
import { Graph, type Value } from './trace/graph.js';
import { BLOCKED_DOMAIN } from './trace/layouts.js';

const SHAPE = [1, 32, 1, 2] as const;

/**
 * How many channels ONNX Runtime's blocked convolutions take together on this CPU: 16 with AVX-512, 8 with AVX2; 0
 * where there are none. No interface tells, so it is read off how 32 maps of two locations, numbered one after another,
 * are put in order: of k channels together, the second location of the first channel comes k-th.
 */
export async function findChannelBlock(
  create: (model: Uint8Array) => Promise<ort.InferenceSession>,
): Promise<number> {
  const graph = new Graph();
  const x = graph.input('x', 'float32', SHAPE);
  const [blocked] = graph.add(`${BLOCKED_DOMAIN}:ReorderInput`, [x], 'float32', [SHAPE]) as [Value];
  try {
    const session = await create(encodeOnnx(graph.prune([blocked]), new Map([['blocked', blocked]])));
    const numbered = Float32Array.from({ length: 64 }, (_, i) => i);
    const results = await session.run({ x: new ort.Tensor('float32', numbered, SHAPE) });
    await session.release();
    const block = (results['blocked']!.data as Float32Array).indexOf(1);
    return block > 1 ? block : 0;
  } catch {
    return 0;
  }
}
