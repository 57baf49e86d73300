import type { DiffwaveConfig } from '../../shared/config/schema.js';
import type { InputSpec, Program } from '../../shared/engine/engine.js';
import { sizeOf } from '../../shared/engine/program.js';
import { numbers, type TinyUnet } from '../../shared/engine/tiny-unet.js';
import { createDiffwave } from '../../shared/networks/diffwave/diffwave.js';
import { countParameters, type Factorization } from '../../shared/networks/network.js';
import { tf } from '../../shared/networks/tensors.js';

/** What is small is in `settings`; there are more input classes than samples. */
interface SmallDiffwave extends Partial<DiffwaveConfig> {
  readonly length: number;
  readonly batch?: number;
  readonly factorization?: Factorization;
}

/**
 * The training step of an audio network on made-up sequences, of which it predicts 5 classes; besides losses it gives `outputs`
 * [batch,5,1,length]. No parameter is zero.
 */
export function smallDiffwave(options: SmallDiffwave): TinyUnet {
  const { length, batch = 1, factorization = 'any-order', ...settings } = options;
  const numInputClasses = 4 * batch * length;
  const network = createDiffwave(
    { kind: 'diffwave', channels: 16, blocks: 3, dilationCycle: 3, ...settings },
    {
      height: 1,
      width: length,
      channels: 1,
      maskChannels: 1,
      numInputClasses,
      numOutputs: 5,
      factorization,
    },
  );
  const shape = [batch, 1, 1, length];
  const time = [batch, network.timeChannels];
  const inputs: InputSpec[] = [
    { name: 'classes', dtype: 'int32', shape },
    { name: 'target', dtype: 'int32', shape },
    { name: 'weight', dtype: 'float32', shape },
    ...(network.readsMask ? [{ name: 'mask', dtype: 'float32' as const, shape }] : []),
    ...(network.timeChannels > 0 ? [{ name: 'time', dtype: 'float32' as const, shape: time }] : []),
  ];
  const program: Program = {
    name: 'small audio network',
    parameters: network.parameters,
    inputs,
    outputs: [
      { name: 'outputs', shape: [batch, 5, 1, length] },
      { name: 'loss', shape: [] },
      { name: 'logLikelihood', shape: [batch] },
    ],
    gradientOf: 'loss',
    build(ops, parameters, { classes, target, weight, ...rest }) {
      const outputs = network.apply(ops, parameters, { classes: classes!, ...rest, dropout: [] });
      const logLikelihood = ops.logLikelihood(outputs, target!, weight!, 5);
      return { outputs, logLikelihood, loss: tf.neg(tf.mean(logLikelihood)) };
    },
  };
  const numParameters = countParameters(network.parameters);
  const integers = (below: number, seed: number) =>
    Int32Array.from(numbers(batch * length, seed), (value) => Math.floor(((value + 1) / 2) * below));
  const arrays: Readonly<Record<string, Float32Array | Int32Array>> = {
    classes: integers(numInputClasses, 1),
    target: integers(5, 2),
    weight: numbers(batch * length, 3),
    mask: Float32Array.from(integers(2, 4)),
    time: numbers(sizeOf(time), 5),
  };
  return {
    program,
    numParameters,
    call: () => ({
      parameters: numbers(numParameters, 6).map((value) => value / 3),
      inputs: Object.fromEntries(inputs.map(({ name }) => [name, arrays[name]!.slice()])),
      outputs: {
        outputs: new Float32Array(batch * 5 * length),
        loss: new Float32Array(1),
        logLikelihood: new Float32Array(batch),
      },
      gradients: new Float32Array(numParameters),
    }),
  };
}
