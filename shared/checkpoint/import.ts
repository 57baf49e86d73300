import { UserError } from '../errors.js';
import { fromOriginal } from '../model/layout.js';
import { countParameters, type ParameterSpec } from '../networks/network.js';
import { quote, toFloat32, type FlaxArray } from './flax.js';
import type { TrainingState } from './state.js';
import type { NamedArrays, TrainState } from './train-state.js';

/** What a train state must fit, and its name in messages. */
export interface ImportOptions {
  readonly file: string;
  /** Of the config. */
  readonly config: string;
  readonly parameters: readonly ParameterSpec[];
  readonly numClasses: number;
  /** Loss components. */
  readonly numSteps: number;
}

export interface Imported {
  readonly state: TrainingState;
  /** Lines for the person: what was not there and how it was made up. */
  readonly notes: readonly string[];
}

/** Names listed in an error, at most. */
const MAX_LISTED = 3;

/**
 * Turns a train state of the original into one of ours. Moments that it lacks are zero; loss components, which it never has,
 * unseen. An embedding that lacks only the row of the absorbing class, as the original's of text does, is completed by its
 * last row: lookups were clamped to that (section 9.2-1).
 *
 * @throws UserError where the tensors are not those of the model
 */
export function importTrainState(train: TrainState, options: ImportOptions): Imported {
  const { parameters: specs, numClasses, numSteps } = options;
  const sources = {
    parameters: ['params', train.parameters],
    ema: ['ema_params', train.ema],
    firstMoment: ['mu of the optimizer', train.moments?.firstMoment],
    secondMoment: ['nu of the optimizer', train.moments?.secondMoment],
  } as const;
  for (const [set, arrays] of Object.values(sources)) if (arrays) checkFits(set, arrays, options);

  const notes = specs
    .filter((spec) => lacksAbsorbing(spec, train.ema.get(spec.name)!, numClasses))
    .map(
      ({ name, originalShape: [rows] }) =>
        `${name} has ${rows! - 1} rows, the model ${rows}: that of the absorbing class is a copy of the last, which the original looked up for it`,
    );
  if (!train.moments)
    notes.push('there is no state of Adam (count, mu, nu): training would go on with both moments at zero');
  const arrayOf = (source: keyof typeof sources) => {
    const [, arrays] = sources[source];
    return arrays ? flatArray(arrays, specs) : new Float32Array(countParameters(specs));
  };
  const state = {
    parameters: arrayOf('parameters'),
    firstMoment: arrayOf('firstMoment'),
    secondMoment: arrayOf('secondMoment'),
    ema: arrayOf('ema'),
    components: new Float64Array(numSteps).fill(NaN),
  };
  return { state, notes };
}

/** All tensors in memory order, one after another. */
function flatArray(arrays: NamedArrays, specs: readonly ParameterSpec[]): Float32Array {
  const flat = new Float32Array(countParameters(specs));
  let begin = 0;
  for (const spec of specs) {
    const end = begin + countParameters([spec]);
    fromOriginal(spec, completed(toFloat32(arrays.get(spec.name)!), spec), flat.subarray(begin, end));
    begin = end;
  }
  return flat;
}

/** A tensor that may lack its last row, which is then like the one before. */
function completed(values: Float32Array, spec: ParameterSpec): Float32Array {
  const numLacking = countParameters([spec]) - values.length;
  if (numLacking === 0) return values;
  const whole = new Float32Array(values.length + numLacking);
  whole.set(values);
  whole.set(values.subarray(-numLacking), values.length);
  return whole;
}

function lacksAbsorbing({ name, originalShape }: ParameterSpec, { shape }: FlaxArray, numClasses: number) {
  const [rows, width] = originalShape;
  const isTable = name.endsWith('/embedding') && rows === numClasses + 1;
  return isTable && shape.length === 2 && shape[0] === numClasses && shape[1] === width;
}

function checkFits(
  set: string,
  arrays: NamedArrays,
  { file, config, parameters, numClasses }: ImportOptions,
): void {
  const problems: string[] = [];
  const names = new Set(parameters.map(({ name }) => name));
  const lacking = [...names].filter((name) => !arrays.has(name));
  if (lacking.length > 0) problems.push(`lacks ${listed(lacking)} of the model`);
  const strange = [...arrays.keys()].filter((name) => !names.has(name));
  if (strange.length > 0) problems.push(`has ${listed(strange.map(quote))} that the model lacks`);
  const wrong = parameters.flatMap((spec) => {
    const array = arrays.get(spec.name);
    if (!array || sameShape(spec, array) || lacksAbsorbing(spec, array, numClasses)) return [];
    return [`${spec.name}, [${array.shape.join(', ')}] there, [${spec.originalShape.join(', ')}] here`];
  });
  if (wrong.length > 0) problems.push(`has other shapes: ${listed(wrong, '; ')}`);
  if (problems.length > 0)
    throw new UserError(
      [
        `${file} does not fit the model of ${config}. Its ${set}:`,
        ...problems.map((problem) => `  ${problem}`),
        'Name the config of the run that wrote it, or change single settings with --set',
      ].join('\n'),
    );
  const [name, array] = [...arrays].find(([, { dtype }]) => dtype !== 'float32' && dtype !== 'float64') ?? [];
  if (array)
    throw new UserError(
      `${file}: ${name} in its ${set} is ${quote(array.dtype)}; float32 and float64 are read. Save it as float32`,
    );
}

const sameShape = ({ originalShape }: ParameterSpec, { shape }: FlaxArray) =>
  shape.length === originalShape.length && shape.every((extent, i) => extent === originalShape[i]);

/** The first few names, and how many there are. */
function listed(names: readonly string[], separator = ', '): string {
  const first = names.slice(0, MAX_LISTED).join(separator);
  return names.length > MAX_LISTED ? `${names.length} tensors (${first}, ...)` : first;
}
