import type { Command } from 'commander';
import { UserError } from '../shared/errors.js';
import { addWorker, createKeyFolder, listAllowed } from '../shared/keys/folder.js';

const DIR = ['--dir <dir>', "the coordinator's folder of keys", 'keys'] as const;

/** `ardm keys new | add | list`: who may join a coordinator that listens beyond its machine. */
export function register(program: Command): void {
  const keys = program
    .command('keys')
    .description('keys by which workers on other machines may join: make and list them');

  keys
    .command('new')
    .description('a pair for the coordinator, and one for a first worker, "worker"')
    .option(...DIR)
    .action(({ dir }: { dir: string }) => {
      createKeyFolder(dir);
      tell(dir, addWorker(dir, 'worker'));
      console.log(`Start the coordinator with --keys ${dir} and any --listen.`);
    });

  keys
    .command('add')
    .description('a pair for one more worker; a running coordinator lets it in at once')
    .argument('<name>', 'of the worker or its machine')
    .option(...DIR)
    .action((name: string, { dir }: { dir: string }) => tell(dir, addWorker(dir, name)));

  keys
    .command('list')
    .description('who may join: names and public keys')
    .option(...DIR)
    .option('--json', 'as JSON: name, publicKey, path')
    .action(({ dir, json }: { dir: string; json?: boolean }) => {
      const { allowed, unreadable } = listAllowed(dir);
      if (json) console.log(JSON.stringify(allowed, undefined, 2));
      else if (allowed.length === 0) console.log(`Nobody may join by ${dir}.`);
      else for (const { name, publicKey, path } of allowed) console.log(`${name}  ${publicKey}  ${path}`);
      if (unreadable.length > 0)
        throw new UserError(`these let nobody in, since they hold no key: ${unreadable.join(', ')}`);
    });
}

function tell(dir: string, file: string): void {
  console.log(`${file} is the worker's secret: move it to its machine, and start it there with`);
  console.log(`  ardm-worker --keys FILE --coordinator tcp://HOST:PORT`);
  console.log(`The file of its name in ${dir}/allowed lets it in; remove that to shut it out.`);
}
