import { UserError } from '../errors.js';
import { countOf, flatten, isTree, quote, type FlaxArray, type FlaxTree } from './flax.js';

/** Arrays by the original's parameter paths. */
export type NamedArrays = ReadonlyMap<string, FlaxArray>;

/** What the original saves (section 6.5). */
export interface TrainState {
  /** Updates that were made. */
  readonly step: number;
  readonly parameters: NamedArrays;
  readonly ema: NamedArrays;
  /** Absent where the file has none of Adam's. */
  readonly moments?: { readonly firstMoment: NamedArrays; readonly secondMoment: NamedArrays };
}

/**
 * Finds a train state in a file of the original: text runs save it as it is; image and audio runs in `train_state`, beside a
 * `step` that counts epochs or lags by one, and is left alone.
 *
 * @param file to be named in errors
 * @throws UserError where it is none
 */
export function trainStateOf(tree: FlaxTree, file: string): TrainState {
  const inner = tree.get('train_state');
  const state = isTree(inner) ? inner : tree;
  const [parameters, ema] = [state.get('params'), state.get('ema_params')];
  if (!isTree(parameters) || !isTree(ema)) {
    const keys = [...state.keys()].slice(0, 8).map(quote).join(', ');
    throw new UserError(
      `${file} is no train state of the original, which has params and ema_params; it has ${keys || 'nothing'}`,
    );
  }
  const adam = findAdam(state.get('opt_state') as FlaxTree | undefined);
  const step = adam ? countOf(adam.get('count')) : countOf(state.get('step'));
  if (step === undefined) throw new UserError(`${file} does not tell its step as a whole number`);
  const moments = adam && {
    firstMoment: flatten(adam.get('mu') as FlaxTree),
    secondMoment: flatten(adam.get('nu') as FlaxTree),
  };
  return { step, parameters: flatten(parameters), ema: flatten(ema), ...(moments && { moments }) };
}

/** The optimizer's state is a chain of transformations; Adam's has count, mu and nu. */
function findAdam(tree: FlaxTree | undefined): FlaxTree | undefined {
  if (!isTree(tree)) return undefined;
  if (isTree(tree.get('mu')) && isTree(tree.get('nu'))) return tree;
  for (const item of tree.values()) {
    const found = isTree(item) ? findAdam(item) : undefined;
    if (found) return found;
  }
  return undefined;
}
