import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { encodeExported, EXPORTED_ENDING } from '../shared/checkpoint/exported.js';
import { checkOnnxSize, encodeExportedOnnx } from '../shared/checkpoint/exported-onnx.js';
import type { Facts } from '../shared/checkpoint/exported-metadata.js';
import { modelHash } from '../shared/checkpoint/model-hash.js';
import { UsageError } from '../shared/errors.js';
import { openModel, type OpenedModel } from './model.js';
import { modelCard, type Card } from './model-card.js';
import { checkWritable, writeTogether } from './output-file.js';
import { evaluationOf } from './run-evaluation.js';

interface Flags {
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `ardm export`: a trained model as one file, and its card. */
export function register(program: Command): void {
  program
    .command('export')
    .description(
      'write a trained model as one file, and beside it a card that tells what it is (Markdown); all commands take the .safetensors as they take a run',
    )
    .argument('<run>', 'run folder, one checkpoint in it, or an exported model')
    .requiredOption(
      '-o, --out <file>',
      'a name that ends in .safetensors (all of the model), or in .onnx (its network alone, for any ONNX runtime); the card is named after it, with .md',
    )
    .option('--force', 'overwrite files that are there')
    .option(
      '--json',
      'tell the result as JSON: path, card, bytes, sha256 (of the file), modelHash, checkpoint, step',
    )
    .action(exportModel);
}

async function exportModel(run: string, { out, force = false, json = false }: Flags): Promise<void> {
  const format = formatOf(out);
  const card = `${out.slice(0, -path.extname(out).length)}.md`;
  for (const file of [out, card]) {
    if (!force && existsSync(file))
      throw new UsageError(
        `${file} is there already: give another name with --out, or overwrite it with --force`,
      );
    await checkWritable(file);
  }
  const model = await openModel(run);
  const { trained, description } = model;
  if (format === 'onnx') checkOnnxSize(description);
  const ema = await trained.loadEma(description.parameters);
  const facts = { ...trained, modelHash: modelHash(trained, description.parameters, ema) };
  const pieces = await piecesOf(format, model, facts, ema);
  const { sha256, bytes } = measure(pieces());
  const { path: checkpoint, step } = trained;
  const evaluation = await evaluationOf(checkpoint, step);
  const file = path.basename(out);
  const text = modelCard({ file, format, sha256, facts, description, ...(evaluation && { evaluation }) });
  await writeTogether([
    [out, pieces()],
    [card, Buffer.from(text)],
  ]);
  if (!json) return [out, card].forEach((file) => console.log(file));
  const paths = { path: path.resolve(out), card: path.resolve(card) };
  const result = { ...paths, bytes, sha256, modelHash: facts.modelHash, checkpoint, step };
  console.log(JSON.stringify(result, undefined, 2));
}

/** Throws UsageError where a file's name promises neither. */
function formatOf(out: string): Card['format'] {
  const ending = path.extname(out);
  if (ending === EXPORTED_ENDING) return 'safetensors';
  if (ending === '.onnx') return 'onnx';
  throw new UsageError(
    `--out ${out}: give a name that ends in ${EXPORTED_ENDING} (all of the model) or in .onnx (its network)`,
  );
}

/** The file's bytes, piece by piece, as often as they are asked for. */
async function piecesOf(
  format: Card['format'],
  { trained, description }: OpenedModel,
  facts: Facts,
  ema: Float32Array,
): Promise<() => Iterable<Uint8Array>> {
  if (format === 'onnx') {
    const model = encodeExportedOnnx(facts, description, ema);
    return () => [model];
  }
  const components = await trained.loadComponents();
  const { parameters } = description;
  return () => encodeExported({ ...facts, parameters, ema, components });
}

function measure(pieces: Iterable<Uint8Array>): { sha256: string; bytes: number } {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}
