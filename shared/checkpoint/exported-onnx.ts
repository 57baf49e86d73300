import { createRequire } from 'node:module';
import type { onnx as Onnx } from 'onnx-proto';
import { offsetsOf, sizeOf } from '../engine/program.js';
import { traceForAnyBatch } from '../engine/trace/any-batch.js';
import { encodeOnnx } from '../engine/trace/encode.js';
import { nameOf } from '../engine/trace/graph.js';
import { UserError } from '../errors.js';
import type { ModelDescription } from '../model/description.js';
import { outputsProgram } from '../model/program.js';
import { version } from '../package.js';
import { encodeFacts, type Facts } from './exported-metadata.js';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Onnx };

/** The format counts bytes in 31 bits. */
const MAX_BYTES = 2 ** 31 - 1;
/** More than any graph takes without its parameters. */
const GRAPH_BYTES = 64 * 2 ** 20;
const FLOAT = 1;

/** @throws UserError where a model is too large for one ONNX file */
export function checkOnnxSize({ numParameters }: Pick<ModelDescription, 'numParameters'>): void {
  const bytes = 4 * numParameters;
  if (bytes + GRAPH_BYTES <= MAX_BYTES) return;
  throw new UserError(
    `the parameters take ${bytes} bytes, and an ONNX file holds ${MAX_BYTES} with its graph: export to a name that ends in .safetensors`,
  );
}

/**
 * The network of a model as one ONNX model, parameters included, for any runtime: operations of ONNX's own domain only, any batch,
 * inputs and `outputs` by the names of `outputsProgram`. Which inputs stand for what is in the doc strings, the facts in the metadata.
 *
 * @param ema in memory order
 */
export function encodeExportedOnnx(
  facts: Facts,
  description: ModelDescription,
  ema: Float32Array,
): Uint8Array {
  const { config, step } = facts;
  const programOf = (batch: number) => outputsProgram(description, config.model, batch);
  const { graph, outputs } = traceForAnyBatch(programOf);
  const { parameters } = description;
  const program = programOf(1);
  const offsets = offsetsOf(parameters);
  const renamed = new Map<string, string>([
    ...program.inputs.map(({ name }) => [nameOf.input(name), name] as const),
    ...program.outputs.map(({ name }) => [nameOf.output(name), name] as const),
    ...parameters.map(({ name }, i) => [nameOf.parameter(i), name] as const),
  ]);
  const rename = (name: string) => renamed.get(name) ?? name;

  const model = onnx.ModelProto.decode(encodeOnnx(graph, outputs));
  const { node: nodes, initializer, input: inputs, output } = model.graph as Required<Onnx.IGraphProto>;
  for (const node of nodes!) {
    node.input = node.input!.map(rename);
    node.output = node.output!.map(rename);
  }
  const read = new Set(nodes!.flatMap(({ input }) => input!));
  const isParameter = new Set(parameters.map((_, i) => nameOf.parameter(i)));
  const docs = docsOf(description);
  const described = (value: Onnx.IValueInfoProto): Onnx.IValueInfoProto => {
    const [, ...dim] = value.type!.tensorType!.shape!.dim!;
    const shape = { dim: [{ dimParam: 'batch' }, ...dim] };
    const name = rename(value.name!);
    return { name, docString: docs[name]!, type: { tensorType: { ...value.type!.tensorType!, shape } } };
  };
  return onnx.ModelProto.encode({
    ...model,
    producerName: 'ardm',
    producerVersion: version,
    docString: `The network of ${config.name}, an autoregressive diffusion model, after ${step} training steps: what it predicts of every variable at one call.`,
    metadataProps: Object.entries(encodeFacts(facts)).map(([key, value]) => ({ key, value })),
    opsetImport: model.opsetImport!.filter(({ domain }) => !domain),
    graph: {
      name: config.name,
      node: nodes!,
      initializer: [
        ...initializer!,
        ...parameters.flatMap(({ name, shape: dims }, i) => {
          if (!read.has(name)) return [];
          const { buffer, byteOffset } = ema.subarray(offsets[i]!);
          const rawData = new Uint8Array(buffer, byteOffset, 4 * sizeOf(dims));
          return [{ name, dims: [...dims], dataType: FLOAT, rawData }];
        }),
      ],
      input: inputs!.filter(({ name }) => !isParameter.has(name!)).map(described),
      output: output!.map(described),
    },
  }).finish();
}

/** What each input and output is, by name. */
function docsOf(description: ModelDescription): Readonly<Record<string, string>> {
  const { numClasses, absorbing, numSteps, numStages, numContext, networkShape } = description;
  const known = `[batch, channels, height, width]: the class of each variable, 0 to ${numClasses - 1}`;
  const stages = numStages > 1 ? `; then ${numStages} maps, 1 in that of the stage and 0 in the others` : '';
  const context = numContext > 0 ? `; the first ${numContext} variables are a context, always known` : '';
  const unknown =
    networkShape.factorization === 'any-order' ? `, and ${absorbing} where nothing is known of it` : '';
  return {
    classes: `${known}${unknown}${context}`,
    mask: `[batch, channels, height, width]: 1 where a variable is known, else 0${stages}`,
    time: `[batch, n]: of the number t of variables that are known (in stage s: + s times all), a = 1000 t / ${numSteps}: n / 2 sines, then n / 2 cosines, of a exp(-j ln(10000) / (n / 2 - 1)), j = 0, 1, ...`,
    positions: '[batch, length]: where each variable lies; classes come in the order of generation',
    outputs: `[batch, ${networkShape.numOutputs}, height, width]: of each location the numbers that its distribution is made from: logits where model.output of the config is softmax`,
  };
}
