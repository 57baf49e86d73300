import { existsSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { packageRoot } from '../package.js';
import { findConflicts, findDoubts, type Conflict } from './checks.js';
import { explainIssues } from './explain.js';
import { configHash } from './hash.js';
import { nearest } from './nearest.js';
import { applyOverrides, parseOverrides, type Override } from './overrides.js';
import { problemsError, type Problem } from './problems.js';
import { configSchema, type Config } from './schema.js';
import { parseYaml, type Path, type YamlSource } from './yaml.js';

export interface LoadedConfig {
  /** With every default filled in; paths in `data` absolute. */
  readonly config: Config;
  /** The file that was read. */
  readonly path: string;
  /** See `configHash`. */
  readonly hash: string;
  /** Lines for the person who started this: which file was taken, settings that are probably not meant. */
  readonly notes: readonly string[];
  /** What the file's last comment says after "What to try next:", a line each. */
  readonly next: readonly string[];
}

/**
 * Reads a configuration file and `--set` overrides (`path=value`). A file that isn't there is looked for among the
 * packaged ones.
 *
 * @throws UsageError with a line an error, each with its place: file:line:column or the flag
 */
export async function loadConfig(file: string, sets: readonly string[] = []): Promise<LoadedConfig> {
  const overrides = parseOverrides(sets);
  const found = findConfig(file);
  const text = await readText(found.path);
  const source = parseYaml(text, found.path);
  const placeOf = places(source, overrides, found.path);

  const parsed = configSchema.safeParse(applyOverrides(source.value, overrides), { reportInput: true });
  if (!parsed.success) {
    const faults = explainIssues(parsed.error.issues);
    throw problemsError(
      faults.map(({ path, what, text }) => ({
        place: placeOf(path, what),
        text: path.length === 0 ? `the config ${text}` : `${path.join('.')}: ${text}`,
      })),
    );
  }
  const config = parsed.data;
  const describe = ({ paths, text }: Conflict): Problem => {
    const given = paths.find((dotted) => overrides.some((override) => override.path.join('.') === dotted));
    return { place: placeOf((given ?? paths[0]!).split('.'), 'value'), text: `${paths[0]}: ${text}` };
  };
  const conflicts = findConflicts(config);
  if (conflicts.length > 0) throw problemsError(conflicts.map(describe));

  for (const key of ['folder', 'file'] as const) {
    const given = config.data[key];
    if (given) config.data[key] = path.resolve(path.dirname(found.path), given);
  }
  const doubts = findDoubts(config).map(describe);
  return {
    config,
    path: found.path,
    hash: configHash(config),
    notes: [...found.notes, ...doubts.map(({ place, text }) => `${place}: warning: ${text}`)],
    next: nextSteps(text),
  };
}

function nextSteps(text: string): string[] {
  const lines = text.split(/\r?\n/);
  const heading = lines.indexOf('# What to try next:');
  if (heading === -1) return [];
  return lines
    .slice(heading + 1)
    .flatMap((line) => (line.startsWith('#') ? [line.replace(/^#\s*/, '')] : []));
}

/** Where a setting, or what should hold it, was written. */
function places(source: YamlSource, overrides: readonly Override[], file: string) {
  const startsWith = (path: Path, start: Path) => start.every((key, depth) => path[depth] === key);
  return function placeOf(path: Path, what: 'key' | 'value'): string {
    const setHere = overrides.findLast((override) => startsWith(path, override.path));
    if (setHere) return setHere.place;
    const inFile = source.locate(path, what);
    if (inFile !== undefined) return inFile;
    const setBelow = overrides.findLast((override) => startsWith(override.path, path));
    if (setBelow) return setBelow.place;
    return path.length === 0 ? `${file}:1:1` : placeOf(path.slice(0, -1), 'key');
  };
}

function findConfig(file: string): { path: string; notes: string[] } {
  if (existsSync(file)) return { path: file, notes: [] };
  const folder = path.join(packageRoot, 'configs');
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  if (names.includes(file)) {
    const packaged = path.join(folder, file);
    return { path: packaged, notes: [`There is no ${file} in this folder: taking the packaged ${packaged}`] };
  }
  const near = nearest(
    path.basename(file, '.yaml'),
    names.map((name) => path.basename(name, '.yaml')),
  );
  const meant = near === undefined ? '' : ` Did you mean ${near}.yaml?`;
  throw new UsageError(`there is no config ${file}.${meant} Packaged ones: ${names.join(', ')}`);
}

/** A config is a page of text: what is larger is a mistake or an attack. */
const MAX_BYTES = 65_536;

/** Reads at most one byte more than allowed: whatever the file is, reading ends. */
async function readText(file: string): Promise<string> {
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  try {
    const handle = await open(file);
    try {
      while (length < bytes.length) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${(error as Error).message}`);
  }
  if (length > MAX_BYTES) throw new UsageError(`${file} has more than ${MAX_BYTES} bytes: no config has`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw new UsageError(`${file} is no UTF-8 text`);
  }
}
