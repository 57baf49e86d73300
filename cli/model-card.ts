import { stringify } from 'yaml';
import { releasedConfig, type Facts } from '../shared/checkpoint/exported-metadata.js';
import { mediumOf, type Medium } from '../shared/config/medium.js';
import type { Config, ModelConfig } from '../shared/config/schema.js';
import type { ModelDescription } from '../shared/model/description.js';
import { version } from '../shared/package.js';
import type { RunEvaluation } from './run-evaluation.js';
import { bitsPer } from './unit.js';

/** What a model card tells. */
export interface Card {
  /** The model file's base name. */
  readonly file: string;
  readonly format: 'safetensors' | 'onnx';
  /** SHA-256 (hex) of the file. */
  readonly sha256: string;
  readonly facts: Facts;
  readonly description: ModelDescription;
  /** Absent where the run has told none. */
  readonly evaluation?: RunEvaluation;
}

/**
 * A model card in Markdown: what the model is, what it was trained on and how well it does, how to use it and how it was made. Its front
 * matter has the fields that Hugging Face's model hub reads; the licence is the publisher's to choose.
 */
export function modelCard(card: Card): string {
  const { file, sha256, facts, description, evaluation } = card;
  const { config, step, numClasses, shape, modelHash } = facts;
  const { model, training } = config;
  const unit = bitsPer(mediumOf(config.data));
  const bound = evaluation
    ? `${figureOf(evaluation)} ${unit} (NELBO, ${evaluation.examples} test examples)`
    : 'not evaluated at this step';
  const rows = [
    ['Model', `${KINDS[model.kind]}, ${model.network.kind}, ${description.numParameters} parameters`],
    ['Data', `${config.data.set}: ${shape.join(' x ')}, ${numClasses} classes a variable`],
    ['Training', `${step} steps of ${training.batch} examples; the moving average of the parameters`],
    ['Test bound', bound],
    ['SHA-256 of the file', `\`${sha256}\``],
    ['Model hash', `\`${modelHash}\``],
  ];
  return [
    `---\n${stringify(frontMatter(card))}---`,
    `# ${config.name}`,
    `An [autoregressive diffusion model](https://arxiv.org/abs/2110.02037) of ${MEDIA[mediumOf(config.data).kind]}, trained with ardm ${version}: it generates, fills in, and gives likelihoods that files can be compressed with. \`${file}\` is all of it.`,
    `| | |\n| --- | --- |\n${rows.map(([name, text]) => `| ${name} | ${text} |`).join('\n')}`,
    ...USES[card.format](file),
    '## Licence',
    'None is chosen yet: whoever publishes this model puts one in place of `unknown` at the top. That of the data may bind it.',
    '## Config',
    `\`\`\`yaml\n${stringify(releasedConfig(config))}\`\`\`\n`,
  ].join('\n\n');
}

const KINDS: Readonly<Record<ModelConfig['kind'], string>> = {
  oa: 'order-agnostic ARDM',
  upscale: 'upscale ARDM',
  arm: 'left-to-right autoregressive model',
  permuted: 'autoregressive model of any given order',
};

const MEDIA: Readonly<Record<Medium['kind'], string>> = { image: 'images', text: 'text', audio: 'audio' };

const USES: Readonly<Record<Card['format'], (file: string) => readonly string[]>> = {
  safetensors: (file) => [
    '## Use',
    `    ardm sample ${file}\n    ardm eval ${file}\n    ardm plan ${file}`,
    'Any reader of safetensors gets the parameters, by the names and layouts of the original implementation. The metadata hold the facts above, and a checksum that `ardm` verifies.',
  ],
  onnx: (file) => [
    '## Use',
    `    import onnxruntime\n    session = onnxruntime.InferenceSession("${file}")\n    [print(i.name, i.type, i.shape) for i in session.get_inputs()]`,
    'It is the network alone: one call predicts every unknown variable from the known ones. Generation is a loop of such calls, each of which draws some of the unknown variables. The doc strings say what each input is; the metadata hold the facts above.',
  ],
};

const TASKS: Readonly<Partial<Record<Medium['kind'], string>>> = {
  image: 'unconditional-image-generation',
  text: 'text-generation',
};

/** The hub's names of the published sets that it has. */
const DATASETS: Readonly<Partial<Record<Config['data']['set'], string>>> = {
  mnist: 'ylecun/mnist',
  'fashion-mnist': 'zalando-datasets/fashion_mnist',
  cifar10: 'uoft-cs/cifar10',
  enwik8: 'LTCB/enwik8',
  sc09: 'google/speech_commands',
};

function frontMatter({ facts: { config }, format, evaluation }: Card): object {
  const { set } = config.data;
  const medium = mediumOf(config.data);
  const task = TASKS[medium.kind];
  const dataset = DATASETS[set];
  const result = evaluation && {
    task: { type: task ?? 'density-estimation' },
    dataset: { name: set, type: dataset ?? set, split: 'test' },
    metrics: [{ name: `NELBO, ${bitsPer(medium)}`, type: 'nelbo', value: evaluation.bitsPerDim }],
  };
  return {
    license: 'unknown',
    library_name: 'ardm',
    ...(task && { pipeline_tag: task }),
    ...(dataset && { datasets: [dataset] }),
    tags: ['ardm', 'autoregressive-diffusion', 'density-estimation', 'lossless-compression', format],
    ...(result && { 'model-index': [{ name: config.name, results: [result] }] }),
  };
}

function figureOf({ bitsPerDim, standardError }: RunEvaluation): string {
  return `${bitsPerDim.toFixed(4)} ± ${standardError.toFixed(4)}`;
}
