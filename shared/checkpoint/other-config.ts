import { configHash } from '../config/hash.js';
import type { Config } from '../config/schema.js';

/** A setting with two values; undefined: not set. */
export interface Difference {
  /** Dotted. */
  readonly path: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The settings in which `theirs` differs and that make it another training than `ours`: those that count in `configHash`. */
export function decisiveDifferences(ours: Config, theirs: Fields): Difference[] {
  const hash = configHash(ours);
  return differences(ours, theirs)
    .filter(({ path, theirs }) => configHash(withSetting(ours, path, theirs) as Config) !== hash)
    .map(({ path, ...values }) => ({ path: path.join('.'), ...values }));
}

function differences(
  ours: unknown,
  theirs: unknown,
  path: readonly string[] = [],
): (Omit<Difference, 'path'> & { readonly path: readonly string[] })[] {
  if (isFields(ours) && isFields(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...keys].flatMap((key) => differences(ours[key], theirs[key], [...path, key]));
  }
  return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [{ path, ours, theirs }];
}

function withSetting(config: Fields, [key, ...rest]: readonly string[], value: unknown): Fields {
  const inner = rest.length === 0 ? value : withSetting(config[key!] as Fields, rest, value);
  return { ...config, [key!]: inner };
}
