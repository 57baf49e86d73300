import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { configSchema } from '../../shared/config/schema.js';
import { encodeHeader } from '../../shared/checkpoint/safetensors.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { drawOrder } from '../../shared/method/orders.js';
import { naivePolicy, policyRange } from '../../shared/method/policy.js';
import { describeModel } from '../../shared/model/description.js';
import { ExampleGenerator } from '../../shared/model/generator.js';
import { initializeParameters } from '../../shared/model/initialize.js';
import { drawnWith } from '../../shared/model/sample.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { inOriginalOrder } from '../parity/model.js';

const [BATCH, SHAPE, NUM_CLASSES] = [2, [4, 4, 2], 5] as const;
const NUM_VARIABLES = 32;
const config = configSchema.shape.model.parse({
  network: { kind: 'unet', channels: 8, blocks: 0, attention: [] },
});

interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/**
 * Writes a case of kind `sample`: the product's own chain, one class of its first step being, if so wished, another one,
 * which the noise lets win by a hair, or does not.
 */
export async function writeSamplingCase(
  folder: string,
  name: string,
  first: 'as drawn' | 'near tie' | 'another class',
): Promise<void> {
  const description = describeModel(config, { shape: SHAPE, numClasses: NUM_CLASSES });
  const parameters = new Float32Array(description.numParameters);
  initializeParameters(description.parameters, 1, parameters);
  const random = stream(1, PURPOSE.sample);
  const policy = naivePolicy(NUM_VARIABLES, 5);
  const orders = Array.from({ length: BATCH }, () => drawOrder(random, NUM_VARIABLES));
  const noiseShape = [policy.length, BATCH, ...SHAPE, NUM_CLASSES];
  const gumbel = Float32Array.from({ length: policy.length * BATCH * NUM_VARIABLES * NUM_CLASSES }, () =>
    random.gumbel(),
  );
  const at = (nth: number, j: number, variable: number) =>
    ((j * BATCH + nth) * NUM_VARIABLES + variable) * NUM_CLASSES;
  const chain = new Int32Array(policy.length * BATCH * NUM_VARIABLES).fill(description.absorbing);
  const margins = new Float32Array(policy.length).fill(Infinity);
  let firstLogits = new Float32Array(0);

  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
  const generator = await ExampleGenerator.create(engine, description, config, BATCH);
  await generator.run({
    parameters,
    policy,
    orders: orders.map((order) => [order]),
    choose: drawnWith((nth, j, variable) => ({
      gumbel: (k) => gumbel[at(nth, j, variable) + k]!,
      uniform: () => NaN,
    })),
    onStep(j, states, logits) {
      if (j === 0) firstLogits = logits.slice();
      const [begin, end] = policyRange(policy, j, NUM_VARIABLES);
      orders.forEach((order, nth) =>
        order.forEach((rank, variable) => {
          const i = nth * NUM_VARIABLES + variable;
          if (rank >= begin && rank < end) {
            const perturbed = (k: number) =>
              logitOf(logits, nth, variable, k) + gumbel[at(nth, j, variable) + k]!;
            const classes = [0, 1, 2, 3, 4].sort((a, b) => perturbed(b) - perturbed(a)) as [number, number];
            if (first !== 'as drawn' && j === 0 && nth === 0 && rank === 0) {
              states[nth]!.classes[variable] = classes[1];
              const gap = perturbed(classes[0]) - perturbed(classes[1]);
              if (first === 'near tie') gumbel[at(nth, j, variable) + classes[1]]! += gap - 5e-5;
            }
            margins[j] = Math.min(margins[j]!, perturbed(classes[0]) - perturbed(classes[1]));
          }
          if (rank < end) chain[j * BATCH * NUM_VARIABLES + i] = states[nth]!.classes[variable]!;
        }),
      );
    },
  });
  const original: Record<string, Tensor> = {};
  inOriginalOrder(description.parameters, parameters, (parameter, data) => {
    original[parameter] = { shape: [data.length], data };
  });
  const tensors: Record<string, Tensor> = {
    'in/policy': { shape: [policy.length], data: policy },
    'in/sigma': {
      shape: [BATCH, NUM_VARIABLES],
      data: Int32Array.from(orders.flatMap((order) => [...order])),
    },
    'in/gumbel': { shape: noiseShape, data: gumbel },
    'out/chain': { shape: noiseShape.slice(0, -1), data: chain },
    'out/net_out_first_call': { shape: [BATCH, 4, 4, 2 * NUM_CLASSES], data: lastChannels(firstLogits) },
    'out/min_argmax_margin': { shape: [policy.length], data: margins },
  };
  write(path.join(folder, `${name}.safetensors`), tensors);
  write(path.join(folder, `${name}.params.safetensors`), original);
  const sideCar = {
    case: name,
    kind: 'sample',
    config: {
      batch: BATCH,
      net: 'unet',
      ce_term: config.ceWeight,
      model: 'ao_arm',
      data_shape: SHAPE,
      num_classes: NUM_CLASSES,
      output_distribution: 'softmax',
      architecture: {
        n_channels: 8,
        num_res_blocks: 0,
        ch_mult: [1],
        attn_resolutions: [],
        num_heads: 1,
        dropout: 0,
      },
    },
    files: [`${name}.safetensors`],
    params_files: [`${name}.params.safetensors`],
    tensors: Object.fromEntries(
      Object.entries(tensors).map(([of, { shape, data }]) => [
        of,
        { shape, dtype: dtypeOf(data) === 'F32' ? 'float32' : 'int32' },
      ]),
    ),
  };
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(sideCar));
}

const logitOf = (logits: Float32Array, nth: number, variable: number, k: number) =>
  logits[((nth * 2 + (variable % 2)) * NUM_CLASSES + k) * 16 + (variable >> 1)]!;

/** [batch, locations, channels, classes] */
function lastChannels(logits: Float32Array): Float32Array {
  return logits.map((_, i) => {
    const [k, variable, nth] = [
      i % NUM_CLASSES,
      Math.floor(i / NUM_CLASSES) % NUM_VARIABLES,
      Math.floor(i / (NUM_CLASSES * NUM_VARIABLES)),
    ];
    return logitOf(logits, nth, variable, k);
  });
}

const dtypeOf = (data: Tensor['data']) => (data instanceof Float32Array ? 'F32' : 'I32');

function write(file: string, tensors: Readonly<Record<string, Tensor>>): void {
  const entries = Object.entries(tensors);
  const header = encodeHeader(
    entries.map(([name, { shape, data }]) => ({ name, dtype: dtypeOf(data), shape })),
    {},
  );
  writeFileSync(file, Buffer.concat([header, ...entries.map(([, { data }]) => new Uint8Array(data.buffer))]));
}
