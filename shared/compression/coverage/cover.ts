import type { Classes } from '../../method/classes.js';
import type { Coverage, CoverageKind, Covered, CoverageModel } from '../file-coder.js';
import { bytesFormat } from './bytes.js';
import { cifar10Format } from './cifar10.js';
import { joiner, type Format } from './format.js';
import { packPlain } from '../plain.js';
import { idxFormat } from './idx.js';
import { pngFormat } from './png.js';
import { packRest, unpackRest } from './rest.js';
import { textFormat } from './text.js';
import { Tiling } from './tiling.js';
import { wavFormat } from './wav.js';

/** Those that are told by their first bytes come first. */
const FORMATS: readonly Format[] = [pngFormat, idxFormat, cifar10Format, wavFormat, textFormat, bytesFormat];

/** Takes files apart into a model's examples and the rest, and puts them together again, byte for byte. */
export const coverage: Coverage = { cover, uncover };

async function cover(bytes: Uint8Array, model: CoverageModel): Promise<Covered | undefined> {
  for (const format of FORMATS) {
    const parts = format.fits(model) ? format.take(bytes, model) : undefined;
    if (!parts || parts.values.length === 0) continue;
    const tiling = new Tiling(model, parts.images);
    const examples = tiling.cut(parts.values);
    const rest = await packRest(parts.rest.finish(), examples.length);
    if (!rest || rest.length >= (await packPlain(bytes)).length) continue;
    return { kind: format.kind, examples, absent: tiling.absent(), rest };
  }
  return undefined;
}

async function uncover(
  kind: CoverageKind,
  packed: Uint8Array,
  examples: Classes,
  model: CoverageModel,
): Promise<Uint8Array> {
  const format = FORMATS.find((format) => format.kind === kind)!;
  const rest = await unpackRest(packed, examples.length);
  if (!format.fits(model)) throw rest.error(`is of a file of the kind ${kind}, which the model does not fit`);
  const bytes = format.put(rest, model, joiner(examples, model, rest));
  rest.end();
  return bytes;
}
