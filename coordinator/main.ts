import path from 'node:path';
import { describeRun, formatDescription } from '../shared/config/describe.js';
import { loadConfig } from '../shared/config/load.js';
import { EXIT, UsageError } from '../shared/errors.js';
import { givenCoordinatorKeys } from '../shared/keys/given.js';
import { parseOptions } from './options.js';
import { createProgress } from './progress.js';
import { checkSizes, run, runLayout } from './run.js';

/** The `ardm-coord` process. Resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if ('exitCode' in options) return options.exitCode;
  const { json, resume } = options;
  const loaded = await loadConfig(options.config, options.sets);
  if (options.dryRun) {
    const description = await describeRun(loaded);
    checkSizes(loaded, description.data);
    console.log(json ? JSON.stringify(description, undefined, 2) : formatDescription(description));
    return EXIT.done;
  }
  const keys = givenCoordinatorKeys(options.keys);
  if (!keys && !options.insecure) refuseStrangers(loaded.config.listen);
  for (const note of loaded.notes) process.stderr.write(`${note}\n`);
  const runFolder = options.runDir ?? path.join('runs', loaded.config.name);
  const progress = createProgress({ json, paths: runLayout(runFolder), next: loaded.next });
  try {
    return (await run(loaded, { runFolder, resume, keys }, [progress])).exitCode;
  } finally {
    progress.close();
  }
}

/** Without keys the wire is neither encrypted nor authenticated: beyond this machine it is for those who say that they know. */
function refuseStrangers(address: string): void {
  if (/^tcp:\/\/(127[.\d]+|localhost|\[::1\]):\d+$/i.test(address)) return;
  throw new UsageError(
    `listen is ${address}: whoever reaches that port could join and change the weights. ` +
      'Make keys with `ardm keys new` and give --keys keys; on a network where you trust everyone, --insecure',
  );
}
