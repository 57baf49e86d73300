import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { findConflicts } from '../config/checks.js';
import { UsageError, UserError } from '../errors.js';
import { describeModel, type ModelDescription } from '../model/description.js';
import type { ParameterSpec } from '../networks/network.js';
import { Damage } from './damage.js';
import { encodeFacts, parseFacts, type Facts } from './exported-metadata.js';
import { modelHash } from './model-hash.js';
import type { TrainedModel } from './open.js';
import { encodeHeader } from './safetensors.js';
import { tensorsOf } from './state.js';
import {
  fillArray,
  hashOf,
  matching,
  readHeader,
  tensorBytes,
  withFile,
  type TensorSpec,
} from './tensor-file.js';

/** How an exported model's name ends. */
export const EXPORTED_ENDING = '.safetensors';
/** SHA-256 (hex) of the file as it would be without this entry. */
const CHECKSUM = 'checksum';

/** A trained model in memory. */
export interface LoadedModel extends Facts {
  readonly parameters: readonly ParameterSpec[];
  /** In memory order. */
  readonly ema: Float32Array;
  readonly components: Float64Array;
}

/** A trained model that is one file. */
export interface ExportedModel extends TrainedModel {
  /** As the file says; `loadEma` makes sure. */
  readonly modelHash: string;
}

/**
 * A model as one safetensors file, all that sampling, evaluation, planning and coding need: the loss components (`components`,
 * float64), the moving average by the original's names and layouts, and in the metadata the facts and a checksum of everything.
 *
 * @returns the file's bytes, piece by piece; each is lost when the next one is asked for
 */
export function* encodeExported(model: LoadedModel): Generator<Uint8Array> {
  const { parameters, ema, components } = model;
  const [own, metadata] = [componentsOf(components.length), encodeFacts(model)];
  // Elements of 8 bytes first: readers want them aligned.
  const specs: readonly TensorSpec[] = [...own, ...parameters];
  const tensors = specs.map(({ name, dtype = 'F32', originalShape: shape }) => ({ name, dtype, shape }));
  const data = function* () {
    yield* tensorBytes(own, components);
    yield* tensorBytes(parameters, ema);
  };
  const hash = createHash('sha256').update(encodeHeader(tensors, metadata));
  for (const bytes of data()) hash.update(bytes);
  yield encodeHeader(tensors, { ...metadata, [CHECKSUM]: hash.digest('hex') });
  yield* data();
}

/**
 * Opens an exported model: every byte is read and compared with the checksum, and the tensors with those of the config's model.
 *
 * @throws UserError where it is none, is damaged, or contradicts itself
 */
export async function openExported(file: string): Promise<ExportedModel> {
  if (!file.endsWith(EXPORTED_ENDING))
    throw new UserError(
      `${file} is a file and no exported model, whose name ends in ${EXPORTED_ENDING}. Name such a one, or a run's folder`,
    );
  const { facts, components } = await reading(file, async (handle, bytes) => {
    const { tensors, metadata, dataBegin } = await readHeader(handle, bytes);
    const { [CHECKSUM]: checksum, ...others } = Object.fromEntries(metadata);
    if (checksum !== undefined) {
      const found = await hashOf(handle, bytes, dataBegin, encodeHeader(tensors, others));
      if (found !== checksum) throw new Damage(`${file} is altered: its checksum is another`);
    }
    const facts = parseFacts(metadata, file);
    if (checksum === undefined) throw new Damage(`${file} has no checksum`);
    const { parameters, numSteps } = descriptionOf(facts, file);
    const own = componentsOf(numSteps);
    const placed = matching([...own, ...parameters], tensors, file);
    const components = new Float64Array(numSteps);
    await fillArray(handle, dataBegin, placed, own, components);
    return { facts, components };
  });
  return {
    path: file,
    ...facts,
    skipped: [],
    loadEma: (parameters) => loadEma(file, facts, parameters),
    loadComponents: () => Promise.resolve(components.slice()),
  };
}

async function loadEma(
  file: string,
  facts: Facts,
  parameters: readonly ParameterSpec[],
): Promise<Float32Array> {
  return reading(file, async (handle, bytes) => {
    const { tensors, dataBegin } = await readHeader(handle, bytes);
    const { numSteps, numParameters } = descriptionOf(facts, file);
    const placed = matching([...componentsOf(numSteps), ...parameters], tensors, file);
    const ema = new Float32Array(numParameters);
    await fillArray(handle, dataBegin, placed, parameters, ema);
    const found = modelHash(facts, parameters, ema);
    if (found === facts.modelHash) return ema;
    throw new Damage(`${file} holds the model ${found}, and says that it is ${facts.modelHash}`);
  });
}

const componentsOf = (numSteps: number) => tensorsOf('components', { parameters: [], numSteps });

/** Throws Damage where the settings do not go together, as those of a run that was started do. */
function descriptionOf({ config, shape, numClasses }: Facts, file: string): ModelDescription {
  const [conflict] = findConflicts(config);
  if (conflict) throw new Damage(`${file}: config: ${conflict.paths[0]}: ${conflict.text}`);
  try {
    return describeModel(config.model, { shape, numClasses, numContext: config.data.context });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new Damage(`${file}: config: ${error.message.replace(/[.]$/, '')}`, { cause: error });
  }
}

/** Tells a user what is wrong with the file. */
async function reading<T>(file: string, read: (handle: FileHandle, bytes: number) => Promise<T>): Promise<T> {
  try {
    return await withFile(file, read, file);
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    const text = `${error.message}. Copy it anew from where it came from, or export it again`;
    throw new UserError(text, undefined, { cause: error });
  }
}
