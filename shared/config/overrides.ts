import path from 'node:path';
import { UsageError } from '../errors.js';
import { instead, keysAt } from './keys.js';
import type { Problem } from './problems.js';
import { problemsError } from './problems.js';
import { isSecret } from './secrets.js';
import { parseYaml } from './yaml.js';

/** A setting given on the command line. */
export interface Override {
  /** As it was typed: its place in errors. */
  readonly place: string;
  readonly path: readonly string[];
  /** undefined: back to the default. */
  readonly value: unknown;
}

/**
 * Reads `path=value` settings, the value written as in YAML; without a value the setting goes back to its default.
 *
 * @throws UsageError that names each wrong one and the nearest right path
 */
export function parseOverrides(sets: readonly string[]): Override[] {
  const problems: Problem[] = [];
  const overrides = sets.flatMap((set): Override[] => {
    const [, dotted, text] = /^([^=]*)=(.*)$/s.exec(set) ?? [];
    const keys = dotted?.split('.') ?? [];
    const place = `--set ${isSecret(keys) ? `${dotted}=...` : set}`;
    const refuse = (text: string) => {
      problems.push({ place, text });
      return [];
    };
    if (!dotted || text === undefined) return refuse('write PATH=VALUE, such as training.steps=100');
    for (const [depth, key] of keys.entries()) {
      const above = keys.slice(0, depth);
      const known = keysAt(above);
      if (!known) return refuse(`${above.join('.')} is a setting of its own: set it as a whole`);
      if (!known.includes(key)) return refuse(`there is no ${dotted}; ${instead(keys.slice(0, depth + 1))}`);
    }
    try {
      const value = parseYaml(text, 'value').value ?? undefined;
      return [
        { place, path: keys, value: ['data.folder', 'data.file'].includes(dotted) ? absolute(value) : value },
      ];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return refuse(error.message);
    }
  });
  if (problems.length > 0) throw problemsError(problems);
  return overrides;
}

/** A path on the command line starts from the current folder, not from the config file's. */
const absolute = (value: unknown) => (typeof value === 'string' ? path.resolve(value) : value);

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The file's data with the overrides in place; the last one wins. */
export function applyOverrides(fromFile: unknown, overrides: readonly Override[]): unknown {
  const root = structuredClone(fromFile ?? {});
  for (const { path, value } of overrides) {
    let group: unknown = root;
    for (const key of path.slice(0, -1)) {
      // Where the file has a value instead of a group, the file is wrong and will be told so.
      if (isGroup(group)) group = group[key] ??= {};
    }
    if (!isGroup(group)) continue;
    const last = path.at(-1)!;
    if (value === undefined) delete group[last];
    else group[last] = value;
  }
  return root;
}
