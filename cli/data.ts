import type { Command } from 'commander';
import { EXIT, UsageError } from '../shared/errors.js';
import { defaultCacheFolder, findFiles } from '../shared/data/cache.js';
import { megabytes } from '../shared/data/download.js';
import { provideFiles } from '../shared/data/fetch.js';
import { sources } from '../shared/data/sources.js';
import type { Source } from '../shared/data/source.js';

type SetName = keyof typeof sources;
const names = Object.keys(sources) as SetName[];

/** What this machine has of a set. */
interface SetState {
  readonly name: string;
  /** `verified`: all files are here and match their checksums. */
  readonly state: 'verified' | 'incomplete' | 'damaged' | 'absent';
  /** Paths of the good files. */
  readonly files: readonly string[];
  readonly damaged: readonly { readonly path: string; readonly damage: string }[];
  /** Of the set's files, unpacked. */
  readonly bytes: number;
  /** Of what fetching it would transfer. */
  readonly downloadBytes: number;
}

async function inspect(source: Source, cacheFolder: string): Promise<SetState> {
  const { paths, damaged, complete } = await findFiles(source, cacheFolder);
  const present = damaged.length > 0 ? 'damaged' : paths.length > 0 ? 'incomplete' : 'absent';
  const total = (files: readonly { bytes: number }[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    name: source.name,
    state: complete ? 'verified' : present,
    files: paths,
    damaged,
    bytes: total(source.files),
    downloadBytes: total(source.downloads),
  };
}

function sourceNamed(name: string): Source {
  if (name === 'binarised-mnist') return sources.mnist;
  if (['folder', 'text', 'wav'].includes(name))
    throw new UsageError(`set: ${name} is your own data: nothing to fetch or verify`);
  const found = names.find((known) => known === name);
  if (!found)
    throw new UsageError(`there is no data set ${name}: choose ${names.join(', ')} or binarised-mnist`);
  return sources[found];
}

function printState({ name, state, bytes, downloadBytes, files, damaged }: SetState): void {
  const size = state === 'verified' ? `${megabytes(bytes)} MB` : `${megabytes(downloadBytes)} MB to fetch`;
  console.log(`${name.padEnd(14)} ${state.padEnd(10)} ${size}`);
  for (const file of files) console.log(`  ${file}`);
  for (const { path, damage } of damaged) console.log(`  ${path} ${damage}`);
}

/** `ardm data list | fetch | verify`: the published data sets and their copies on this machine. */
export function register(program: Command): void {
  const data = program.command('data').description('list, fetch and verify data sets');

  data
    .command('list')
    .description('the published sets, their sizes, and where this machine has them')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const cacheFolder = defaultCacheFolder();
      const states: SetState[] = [];
      for (const name of names) states.push(await inspect(sources[name], cacheFolder));
      if (json) return console.log(JSON.stringify({ cacheFolder, sets: states }, undefined, 2));
      for (const state of states) printState(state);
      console.log(
        'binarised-mnist is made from mnist; your own data are set: folder (PNG), set: text and set: wav.',
      );
      console.log(`Fetched sets are kept in ${cacheFolder} (ARDM_CACHE names another folder).`);
    });

  data
    .command('fetch')
    .description('fetch a set into the cache, unless this machine has it; an interrupted fetch is continued')
    .argument('<name>', [...names, 'binarised-mnist'].join(', '))
    .action(async (name: string) => {
      const source = sourceNamed(name);
      const cacheFolder = defaultCacheFolder();
      const report = (line: string) => console.log(line);
      const { paths } = await provideFiles(source, { cacheFolder, fetch: true, report });
      console.log(`${source.name} is here and verified:`);
      for (const file of paths) console.log(`  ${file}`);
    });

  data
    .command('verify')
    .description('check size and checksum of every file of a set, or of all sets that are here')
    .argument('[name]', [...names, 'binarised-mnist'].join(', '))
    .option('--json', 'as JSON')
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const wanted = name === undefined ? names.map((known) => sources[known]) : [sourceNamed(name)];
      const states: SetState[] = [];
      for (const source of wanted) states.push(await inspect(source, defaultCacheFolder()));
      const failed = states.some(
        ({ state, damaged }) => damaged.length > 0 || (name !== undefined && state !== 'verified'),
      );
      if (json) console.log(JSON.stringify(states, undefined, 2));
      else states.forEach(printState);
      if (failed) process.exitCode = EXIT.failure;
    });
}
