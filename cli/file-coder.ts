import { modelHash } from '../shared/checkpoint/model-hash.js';
import { CodingError } from '../shared/coding/error.js';
import { coverage } from '../shared/compression/coverage/cover.js';
import { CompressionError } from '../shared/compression/error.js';
import type { CodingPlan, Coverage, FileCoder } from '../shared/compression/file-coder.js';
import { mediumOf } from '../shared/config/medium.js';
import type { Engine, Executable } from '../shared/engine/engine.js';
import { createExactEngine } from '../shared/engine/exact.js';
import { identityOf } from '../shared/engine/identity.js';
import { selectEngine, type EngineChoice } from '../shared/engine/select.js';
import { checkPolicy } from '../shared/method/plan.js';
import { ExampleCoder } from '../shared/model/coder.js';
import type { ModelDescription } from '../shared/model/description.js';
import { exampleSize } from '../shared/model/inputs.js';
import { openModel, watched, type OpenedModel } from './model.js';
import { isPolicyFile, policyFor } from './policies.js';

/** How a model is to code files. */
export interface FileCoderOptions {
  /** The engine to compute on as it comes; absent: the one that gives the same bits everywhere. */
  readonly fast?: EngineChoice;
  /** What a compressed file was written with; absent: made from the budget and the policy, or the run's own. */
  readonly plan?: CodingPlan;
  readonly budget?: number | undefined;
  readonly policy?: string | undefined;
  /** Ends the coding, before the next network call. */
  readonly signal: AbortSignal;
  /** Called after each network call: as many a batch as the policy has steps, to encode and to decode. */
  readonly onCall: () => void;
}

/** What compressing takes beside files. */
export interface Coding {
  /** Opens a trained model as a coder of files. Throws UserError where it can't be, UsageError where the options don't fit it. */
  open(run: string, options: FileCoderOptions): Promise<FileCoder>;
  /** SHA-256 (hex) of a trained model. Throws UserError where there is none. */
  hashOf(run: string): Promise<string>;
  readonly coverage: Coverage;
}

/** What the commands use. */
export const coding: Coding = { open: openFileCoder, hashOf: hashOfModel, coverage };

async function openFileCoder(run: string, options: FileCoderOptions): Promise<FileCoder> {
  const { fast, signal, onCall } = options;
  const { trained, description } = await openModel(run);
  const { config } = trained;
  const plan = options.plan ?? (await planFor(options, { trained, description }));
  checkPlan(plan, description);
  const parameters = await trained.loadEma(description.parameters);
  const engine = fast ? (await selectEngine(fast)).engine : await createExactEngine();
  let executable: Executable | undefined;
  const remembering: Engine = {
    ...engine,
    compile: async (program) => (executable = await engine.compile(program)),
  };
  const { policy, seed, batch } = plan;
  const coder = await ExampleCoder.create(
    watched(remembering, signal, onCall),
    description,
    config.model,
    batch,
  );
  const call = (first: number, absent: Uint8Array | undefined) => ({
    ...{ parameters, policy, seed, first },
    ...(absent && { absent }),
  });
  return {
    model: { ...description, medium: mediumOf(config.data) },
    modelHash: modelHash(trained, description.parameters, parameters),
    engine: identityOf(engine, executable!),
    plan,
    encode: (first, examples, absent) => {
      const count = examples.length / exampleSize(description);
      return blamingFile(coder.encode({ ...call(first, absent), examples, count }));
    },
    decode: (first, streams, absent) => blamingFile(coder.decode({ ...call(first, absent), streams })),
  };
}

/** Network calls a stage that cost a few per cent at most, where a model can make do with fewer than one a variable. */
const USUAL_BUDGET = 50;

/** How a model codes unless a compressed file says otherwise. */
async function planFor(options: FileCoderOptions, model: OpenedModel): Promise<CodingPlan> {
  const { trained, description } = model;
  const { seed, samples } = trained.config;
  const source = { description, loadComponents: () => trained.loadComponents() };
  const { policy } = await policyFor(source, ...(await spendingOf(options, model)));
  return { policy, seed, batch: samples.batch };
}

/** In few calls, where the model can make do with fewer than one a variable; planned where the run knows how. */
async function spendingOf(
  { policy: how, budget }: FileCoderOptions,
  { trained, description: { networkShape, numPositions } }: OpenedModel,
): Promise<[how: string, budget: number | undefined]> {
  if (how !== undefined && isPolicyFile(how)) return [how, budget];
  if (networkShape.factorization !== 'any-order') return [how ?? 'naive', budget];
  const hasSeen = async () => (await trained.loadComponents()).some((value) => !Number.isNaN(value));
  return [how ?? ((await hasSeen()) ? 'planned' : 'naive'), budget ?? Math.min(USUAL_BUDGET, numPositions)];
}

/** Throws CompressionError where a plan that came with a file is none of the model's. */
function checkPlan({ policy }: CodingPlan, { numSteps, numStages, numPositions }: ModelDescription): void {
  const numCalls = numSteps === 1 ? numPositions : numSteps;
  try {
    checkPolicy([...policy], numCalls, numStages);
  } catch (error) {
    throw new CompressionError(`its plan does not fit the model: ${(error as Error).message}`);
  }
}

/** A stream that the coder can't read is a damaged file, or one that was computed otherwise. */
async function blamingFile<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CodingError) throw new CompressionError(error.message);
    throw error;
  }
}

async function hashOfModel(run: string): Promise<string> {
  const { trained, description } = await openModel(run);
  return modelHash(trained, description.parameters, await trained.loadEma(description.parameters));
}
