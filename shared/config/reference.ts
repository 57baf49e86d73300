import { z } from 'zod';
import { configSchema } from './schema.js';

/** The part of JSON Schema that a config's schema is made of. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The JSON Schema of a configuration file, by which editors complete and check. */
export function configJsonSchema(): object {
  return { title: 'A run of ardm', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}

const INTRODUCTION = `# Configuration

A run is described by one YAML file: \`ardm-coord --config FILE\`. A name that is no file in the current folder is looked for
among the packaged ones. Of each published run there is one, and a small twin for two CPU cores:

- CIFAR-10, order-agnostic: \`cifar10.yaml\`; small \`cifar10-small.yaml\`
- CIFAR-10, in stages: \`cifar10-upscale4-augmented.yaml\` (the best), \`cifar10-upscale4.yaml\`, \`cifar10-upscale4-direct.yaml\`,
  \`cifar10-upscale2.yaml\`, \`cifar10-upscale16.yaml\`; small \`cifar10-upscale4-small.yaml\`
- digits: \`mnist.yaml\` (the quick start), \`binarised-mnist.yaml\`; both are small
- text8, order-agnostic: \`text8.yaml\`; small \`text8-small.yaml\`
- text8, the baselines: \`text8-arm.yaml\` (left to right), \`text8-permuted.yaml\` (XLNet); small \`text8-arm-small.yaml\`,
  \`text8-permuted-small.yaml\`
- enwik8: \`enwik8.yaml\`, \`enwik8-arm.yaml\`; small \`enwik8-small.yaml\`
- SC09, order-agnostic: \`sc09.yaml\`; small \`sc09-small.yaml\`
- SC09, in stages: \`sc09-upscale256.yaml\`, \`sc09-upscale16.yaml\`, \`sc09-upscale4.yaml\`, \`sc09-upscale2.yaml\`; small
  \`sc09-upscale16-small.yaml\`
- SC09, the baseline: \`sc09-wavenet.yaml\`; small \`sc09-wavenet-small.yaml\`
- a file of your own: \`text.yaml\` with \`--set data.file=FILE\`; sounds of your own: \`audio.yaml\` with \`--set data.folder=FOLDER\`
- how learning is compared with the original implementation: \`reference-mnist.yaml\`, \`reference-text8.yaml\`

Where the paper and its code differ, the published runs take the paper's value and tell the code's. \`--dry-run\` prints the whole
configuration with every default, and what it takes.

\`--set PATH=VALUE\` gives a setting another value, written as in YAML: \`--set training.batch=64\`,
\`--set 'model.network.multipliers=[1, 2]'\`; without a value (\`--set samples.budget=\`) it goes back to its default. Of several, the
last one counts. The kinds of network and of codec have settings of their own, so another kind is given as a whole:
\`--set 'model.network={kind: transformer, layers: 4, width: 128, heads: 4, mlpWidth: 512}'\`.

Every mistake is told with its place (\`FILE:LINE:COLUMN\`, or the flag) and the nearest right key. A file is one YAML 1.2
document of plain values: keys once, no tags, anchors, aliases or merge keys, at most 64 KB. With
\`# yaml-language-server: $schema=schema.json\` as its first line, and \`configs/schema.json\` beside it, editors complete and check it.

Some settings decide what the weights become: \`seed\`, all of \`data\`, \`model\` and \`training\` but \`training.steps\`, and \`exchange.codec\`. Their SHA-256, the config hash,
stands in every checkpoint, and a run is not resumed under another. All others may change from one start to
the next: for how long, who computes, what is watched and saved. A folder or file of your own
counts by its name, so it may be moved; a run is not resumed when what is in it has changed.
`;

/** docs/config.md: every setting with its type, range, default and meaning. */
export function configReference(): string {
  const root = configJsonSchema() as Schema;
  return `${[INTRODUCTION, ...section(root, '')].join('\n').trimEnd()}\n`;
}

function section(schema: Schema, path: string): string[] {
  const lines: string[] = [];
  if (path) lines.push(`## ${path}`, '', schema.description ?? '', '');
  if (schema.oneOf) return [...lines, ...schema.oneOf.flatMap((choice) => choiceSection(choice, path))];
  const entries = Object.entries(schema.properties ?? {});
  lines.push(...listed(schema, path));
  for (const [key, { items }] of entries)
    if (items?.properties) lines.push(`### ${path}.${key}, an entry`, '', ...settings(items, ''), '');
  for (const [key, group] of entries.filter(([, setting]) => isGroup(setting)))
    lines.push(...section(group, path ? `${path}.${key}` : key));
  return lines;
}

/** One of the forms that a group may take, told apart by its kind. */
function choiceSection(schema: Schema, path: string): string[] {
  const kind = String(schema.properties!.kind!.const);
  return [`### ${path}, kind: ${kind}`, '', schema.description ?? '', '', ...listed(schema, path)];
}

const isGroup = ({ properties, oneOf }: Schema) => properties !== undefined || oneOf !== undefined;

/** A paragraph of settings, if there are any. */
function listed(schema: Schema, path: string): string[] {
  const lines = settings(schema, path);
  return lines.length > 0 ? [...lines, ''] : [];
}

function settings(schema: Schema, path: string): string[] {
  const entries = Object.entries(schema.properties ?? {}).filter(
    ([key, setting]) => !isGroup(setting) && !(key === 'kind' && setting.const !== undefined),
  );
  return entries.map(([key, setting]) => {
    const required = schema.required?.includes(key) ?? false;
    const name = `\`${path && `${path}.`}${key}\``;
    return `- ${name}: ${kindOf(setting)}${fallback(setting, required)}. ${setting.description}`;
  });
}

function fallback(setting: Schema, required: boolean): string {
  if (required) return ', required';
  return setting.default === undefined ? ', optional' : `, default ${code(setting.default)}`;
}

function kindOf({ type, anyOf, items, multipleOf, ...rest }: Schema): string {
  if (anyOf) return anyOf.map(kindOf).join(' or ');
  const choices = rest.enum ?? (rest.const === undefined ? undefined : [rest.const]);
  if (choices) return choices.map(code).join(', ');
  if (type === 'array' && items!.properties) return `list of {${Object.keys(items!.properties).join(', ')}}`;
  if (type === 'array') return `list of (${kindOf(items!)})`;
  if (type === 'string') return 'text';
  if (type === 'boolean') return '`true` or `false`';
  return `${type === 'integer' ? 'whole number' : 'number'}${range(rest)}${multipleOf ? `, a multiple of ${multipleOf}` : ''}`;
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  return [
    minimum === undefined ? '' : ` from ${minimum}`,
    exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`,
    maximum === undefined ? '' : ` to ${maximum}`,
    exclusiveMaximum === undefined ? '' : ` and below ${exclusiveMaximum}`,
  ].join('');
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
