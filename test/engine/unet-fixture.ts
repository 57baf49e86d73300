import assert from 'node:assert/strict';
import type { NetworkConfig } from '../../shared/config/schema.js';
import type { Engine, Program } from '../../shared/engine/engine.js';
import { countParameters, type NetworkShape, type ParameterSpec } from '../../shared/networks/network.js';
import { tf } from '../../shared/networks/tensors.js';
import { createUnet } from '../../shared/networks/unet/unet.js';
import { Fixture, norm } from './fixture.js';

/**
 * Runs one training evaluation of a U-Net fixture on an engine, and compares logits, losses and every gradient with
 * the original's numbers.
 */
export async function checkUnetFixture(engine: Engine, name: string): Promise<void> {
  const fixture = new Fixture(name);
  const { batch, ce_term, data_shape, num_classes, architecture } = fixture.sideCar.config;
  const [height, width, channels] = data_shape;
  const locations = height * width;
  const numVariables = locations * channels;
  const maskChannels = fixture.ints('out/net_mask').length / (batch * locations);
  const numStages = maskChannels === channels ? 1 : maskChannels - channels;
  const numOutputs = fixture.floats('out/net_out').length / (batch * locations);
  // A block is one softmax: a data channel, or one stage of it.
  const numBlocks = channels * numStages;
  const numBranches = numOutputs / numBlocks;

  const config: NetworkConfig = {
    kind: 'unet',
    channels: architecture.n_channels,
    multipliers: architecture.ch_mult,
    blocks: architecture.num_res_blocks,
    attention: architecture.attn_resolutions,
    heads: architecture.num_heads,
    groups: 32,
    dropout: 0,
  };
  const shape: NetworkShape = {
    height,
    width,
    channels,
    maskChannels,
    numInputClasses: num_classes,
    numOutputs,
  };
  const network = createUnet(config, shape);
  const maps = (count: number) => [batch, count, height, width];
  const program: Program = {
    name,
    parameters: network.parameters,
    inputs: [
      { name: 'classes', dtype: 'int32', shape: maps(channels) },
      { name: 'mask', dtype: 'float32', shape: maps(maskChannels) },
      { name: 'time', dtype: 'float32', shape: [batch, network.timeChannels] },
      { name: 'target', dtype: 'int32', shape: maps(numBlocks) },
      { name: 'unknown', dtype: 'float32', shape: maps(numBlocks) },
      { name: 'weight', dtype: 'float32', shape: [batch] },
    ],
    outputs: [
      { name: 'logits', shape: maps(numOutputs) },
      { name: 'logLikelihood', shape: [batch] },
      { name: 'loss', shape: [] },
    ],
    gradientOf: 'loss',
    build(ops, parameters, { classes, mask, time, target, unknown, weight }) {
      const input = { classes: classes!, mask: mask!, time: time!, dropout: [] };
      const logits = network.apply(ops, parameters, input);
      const logLikelihood = ops.logLikelihood(logits, target!, unknown!, numBranches);
      return { logits, logLikelihood, loss: tf.neg(tf.sum(tf.mul(logLikelihood, weight!))) };
    },
  };

  const stage = numStages === 1 ? new Int32Array(batch) : fixture.ints('out/stage');
  const steps = numStages === 1 ? fixture.ints('in/t') : fixture.ints('out/t_in_stage');
  const x = fixture.ints('in/x');
  const netMask = fixture.ints('out/net_mask');
  const target = new Int32Array(batch * numBlocks * locations);
  const unknown = new Float32Array(target.length);
  for (let i = 0; i < x.length; i++) {
    const [example, location, channel] = [
      Math.floor(i / numVariables),
      Math.floor(i / channels) % locations,
      i % channels,
    ];
    const block = channel * numStages + stage[example]!;
    const to = (example * numBlocks + block) * locations + location;
    const digit = numStages - 1 - stage[example]!;
    target[to] = Math.floor(x[i]! / numBranches ** digit) % numBranches;
    unknown[to] = 1 - netMask[(example * locations + location) * maskChannels + channel]!;
  }
  const weight = Float32Array.from(
    steps,
    (t) => ((numStages * numVariables) / (numVariables - t) + ce_term) / (numVariables * Math.LN2 * batch),
  );

  const numParameters = countParameters(network.parameters);
  const parameters = new Float32Array(numParameters);
  layOut(network.parameters, (spec, memory) => toMemory(spec, fixture.floats(spec.name), memory), parameters);
  const outputs = {
    logits: new Float32Array(batch * numOutputs * locations),
    logLikelihood: new Float32Array(batch),
    loss: new Float32Array(1),
  };
  const gradients = new Float32Array(numParameters);
  const executable = await engine.compile(program);
  await executable.run({
    parameters,
    inputs: {
      classes: Int32Array.from(toChannelsFirst(fixture.ints('out/net_input'), batch, locations)),
      mask: Float32Array.from(toChannelsFirst(netMask, batch, locations)),
      time: timeEmbedding(steps, stage, numVariables, numStages, network.timeChannels),
      target,
      unknown,
      weight,
    },
    outputs,
    gradients,
  });
  await executable.dispose();

  fixture.compare('out/net_out', toChannelsLast(outputs.logits, batch, locations));
  fixture.compare('out/loss', outputs.loss);
  const nats = outputs.logLikelihood;
  fixture.compare(
    'out/nce',
    nats.map((value) => value / (numVariables * Math.LN2)),
  );
  fixture.compare(
    'out/elbo',
    nats.map((value, i) => (value * numStages) / (numVariables - steps[i]!) / Math.LN2),
  );
  const globalNorm = norm(gradients);
  fixture.compare('out/grad_global_norm', Float32Array.of(globalNorm));
  layOut(
    network.parameters,
    (spec, memory) => {
      const gradient = fromMemory(spec, memory);
      if (fixture.sideCar.parameters_with_exactly_zero_gradient.includes(spec.name))
        assert.ok(norm(gradient) <= 1e-5 * globalNorm, `gradient of ${spec.name} should vanish`);
      else fixture.compare(`grad/${spec.name}`, gradient);
    },
    gradients,
  );
}

function layOut(
  specs: readonly ParameterSpec[],
  visit: (spec: ParameterSpec, memory: Float32Array) => void,
  flat: Float32Array,
): void {
  let offset = 0;
  for (const spec of specs) {
    const size = countParameters([spec]);
    visit(spec, flat.subarray(offset, offset + size));
    offset += size;
  }
}

/** For each element in memory order, its index in the original's order. */
function originalIndices({ originalShape, axes }: ParameterSpec): Int32Array {
  const strides = originalShape.map((_, i) => originalShape.slice(i + 1).reduce((a, b) => a * b, 1));
  const order = axes ?? originalShape.map((_, i) => i);
  let indices = [0];
  for (const axis of order)
    indices = indices.flatMap((base) =>
      Array.from({ length: originalShape[axis]! }, (_, i) => base + i * strides[axis]!),
    );
  return Int32Array.from(indices);
}

function toMemory(spec: ParameterSpec, original: Float32Array, memory: Float32Array): void {
  originalIndices(spec).forEach((from, to) => (memory[to] = original[from]!));
}

function fromMemory(spec: ParameterSpec, memory: Float32Array): Float32Array {
  const original = new Float32Array(memory.length);
  originalIndices(spec).forEach((to, from) => (original[to] = memory[from]!));
  return original;
}

function toChannelsFirst(values: Int32Array, batch: number, locations: number): number[] {
  const channels = values.length / (batch * locations);
  return Array.from(values, (_, i) => {
    const [example, channel, location] = [
      Math.floor(i / (channels * locations)),
      Math.floor(i / locations) % channels,
      i % locations,
    ];
    return values[(example * locations + location) * channels + channel]!;
  });
}

function toChannelsLast(values: Float32Array, batch: number, locations: number): Float32Array {
  const channels = values.length / (batch * locations);
  return values.map((_, i) => {
    const [example, location, channel] = [
      Math.floor(i / (channels * locations)),
      Math.floor(i / channels) % locations,
      i % channels,
    ];
    return values[(example * channels + channel) * locations + location]!;
  });
}

/** Section 5.1, with the global step. */
function timeEmbedding(
  steps: Int32Array,
  stage: Int32Array,
  numVariables: number,
  numStages: number,
  width: number,
): Float32Array {
  const half = width / 2;
  const embedding = new Float32Array(steps.length * width);
  steps.forEach((t, example) => {
    const u = ((stage[example]! * numVariables + t) * 1000) / (numVariables * numStages);
    for (let j = 0; j < half; j++) {
      const angle = u * Math.exp((-Math.log(10000) * j) / (half - 1));
      embedding[example * width + j] = Math.sin(angle);
      embedding[example * width + half + j] = Math.cos(angle);
    }
  });
  return embedding;
}
