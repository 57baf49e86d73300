import type { Engine, Program } from '../../shared/engine/engine.js';
import { sinusoids } from '../../shared/method/time-embedding.js';
import type { NetworkShape } from '../../shared/networks/network.js';
import { tf } from '../../shared/networks/tensors.js';
import { createUnet } from '../../shared/networks/unet/unet.js';
import { compareActivations } from './activations.js';
import { compareGradients } from './elbo.js';
import type { Fixture } from './fixture.js';
import { channelsFirst, channelsLast, readParameters, unetConfig } from './model.js';

/**
 * The U-Net of an upscale case, from what the original gave it: its outputs and, where these are a softmax for each
 * digit (direct parametrisation), losses and every gradient.
 */
export async function checkUpscaleNetwork(engine: Engine, fixture: Fixture): Promise<void> {
  const { batch, ce_term, data_shape, architecture, upscale_direct_parametrization } = fixture.sideCar.config;
  const [height, width, channels] = data_shape as [number, number, number];
  const locations = height * width;
  const numVariables = locations * channels;
  const netMask = fixture.ints('out/net_mask');
  const maskChannels = netMask.length / (batch * locations);
  const numStages = maskChannels - channels;
  const numOutputs = fixture.floats('out/net_out').length / (batch * locations);
  // A block is one softmax: a stage of a data channel.
  const numBlocks = channels * numStages;
  const numBranches = numOutputs / numBlocks;
  const table = fixture.parameters.get('InputProcessingImage_0/Embed_0/embedding')!;
  const shape: NetworkShape = {
    height,
    width,
    channels,
    maskChannels,
    numInputClasses: table.length / (architecture.n_channels / 4),
    numOutputs,
  };
  const config = unetConfig(architecture);
  const network = createUnet(config, shape);
  const parameters = readParameters(fixture, network.parameters);

  const maps = (count: number) => [batch, count, height, width];
  const logitsOnly: Program = {
    name: fixture.name,
    parameters: network.parameters,
    inputs: [
      { name: 'classes', dtype: 'int32', shape: maps(channels) },
      { name: 'mask', dtype: 'float32', shape: maps(maskChannels) },
      { name: 'time', dtype: 'float32', shape: [batch, network.timeChannels] },
    ],
    outputs: [{ name: 'logits', shape: maps(numOutputs) }],
    build: (ops, tensors, { classes, mask, time }) => ({
      logits: network.apply(ops, tensors, { classes: classes!, mask: mask!, time: time!, dropout: [] }),
    }),
  };
  const stages = fixture.ints('out/stage');
  const steps = fixture.ints('out/t_in_stage');
  const time = new Float32Array(batch * network.timeChannels);
  steps.forEach((t, row) => {
    const position = ((stages[row]! * numVariables + t) * 1000) / (numVariables * numStages);
    sinusoids(position, time.subarray(row * network.timeChannels, (row + 1) * network.timeChannels));
  });
  const inputs = {
    classes: Int32Array.from(channelsFirst(fixture.ints('out/net_input'), batch, locations)),
    mask: Float32Array.from(channelsFirst(netMask, batch, locations)),
    time,
  };
  const logits = new Float32Array(batch * numOutputs * locations);

  await compareActivations(engine, fixture, network, config, shape, { parameters, inputs });
  if (!upscale_direct_parametrization) {
    const executable = await engine.compile(logitsOnly);
    await executable.run({ parameters, inputs, outputs: { logits } });
    await executable.dispose();
    return fixture.compare('out/net_out', channelsLast(logits, batch, locations));
  }

  const program: Program = {
    ...logitsOnly,
    inputs: [
      ...logitsOnly.inputs,
      { name: 'target', dtype: 'int32', shape: maps(numBlocks) },
      { name: 'scored', dtype: 'float32', shape: maps(numBlocks) },
      { name: 'weight', dtype: 'float32', shape: [batch] },
    ],
    outputs: [...logitsOnly.outputs, { name: 'logLikelihood', shape: [batch] }, { name: 'loss', shape: [] }],
    gradientOf: 'loss',
    build(ops, tensors, given) {
      const built = logitsOnly.build(ops, tensors, given);
      const logLikelihood = ops.logLikelihood(built.logits!, given.target!, given.scored!, numBranches);
      return { ...built, logLikelihood, loss: tf.neg(tf.sum(tf.mul(logLikelihood, given.weight!))) };
    },
  };
  const x = fixture.ints('in/x');
  const target = new Int32Array(batch * numBlocks * locations);
  const scored = new Float32Array(target.length);
  x.forEach((value, i) => {
    const [row, location, channel] = [
      Math.floor(i / numVariables),
      Math.floor(i / channels) % locations,
      i % channels,
    ];
    const stage = stages[row]!;
    const to = (row * numBlocks + channel * numStages + stage) * locations + location;
    target[to] = Math.floor(value / numBranches ** (numStages - 1 - stage)) % numBranches;
    scored[to] = 1 - netMask[(row * locations + location) * maskChannels + channel]!;
  });
  const weight = Float32Array.from(
    steps,
    (t) => ((numStages * numVariables) / (numVariables - t) + ce_term) / (numVariables * Math.LN2 * batch),
  );
  const outputs = { logits, logLikelihood: new Float32Array(batch), loss: new Float32Array(1) };
  const gradients = new Float32Array(parameters.length);
  const executable = await engine.compile(program);
  await executable.run({ parameters, inputs: { ...inputs, target, scored, weight }, outputs, gradients });
  await executable.dispose();

  fixture.compare('out/net_out', channelsLast(logits, batch, locations));
  fixture.compare('out/loss', outputs.loss);
  const bits = Float64Array.from(outputs.logLikelihood, (nats) => nats / Math.LN2);
  fixture.compare(
    'out/nce',
    bits.map((value) => value / numVariables),
  );
  const elbo = bits.map((value, row) => (value * numStages) / (numVariables - steps[row]!));
  fixture.compare('out/elbo', elbo);
  fixture.compare(
    'out/elbo_of_t',
    elbo.map((value) => value / (numStages * numVariables)),
  );
  compareGradients(fixture, network.parameters, gradients);
}
