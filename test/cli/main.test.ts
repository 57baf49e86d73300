import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { createProgram, main } from '../../cli/main.js';
import { UsageError } from '../../shared/errors.js';
import { version } from '../../shared/package.js';

const ENGINE = '--gpu --cpu --engine --provider --threads';

/** Every flag there is. One that goes or changes its name breaks people's scripts: that is a decision, not a side effect. */
const FLAGS = {
  sample: `--num --budget --policy --seed --frames --out ${ENGINE} --json`,
  complete: `--mask --known --unknown --random-known --gap --num --budget --policy --seed --frames --out ${ENGINE} --json`,
  eval: `--data --split --examples --passes --budget --policy --exact --compress --out --seed ${ENGINE} --json`,
  plan: '--budget --policy --joint --out --costs --save --json',
  export: '--out --force --json',
  compress: `--out --recursive --budget --policy --exact-everywhere --fast --no-verify --force ${ENGINE} --json`,
  decompress: `--out --model --only --max-size --force ${ENGINE} --json`,
  inspect: '--json',
  status: '--config --watch --json',
  view: '--http --open',
  timeline: '--steps --out',
  'data list': '--json',
  'data fetch': '',
  'data verify': '--json',
  'keys new': '--dir',
  'keys add': '--dir',
  'keys list': '--dir --json',
  'checkpoint list': '--json',
  'checkpoint verify': '--json',
  'checkpoint import': '--config --set --run-dir --json',
  doctor: '--json',
};

/** Each command by its words. */
function commands(): Map<string, ReturnType<typeof createProgram>> {
  const all = new Map<string, ReturnType<typeof createProgram>>();
  for (const command of createProgram().commands) {
    if (command.commands.length === 0) all.set(command.name(), command);
    for (const below of command.commands) all.set(`${command.name()} ${below.name()}`, below);
  }
  return all;
}

/** What `ardm ...` prints to stdout and stderr in this process, and its exit code. */
async function run(t: TestContext, ...argv: string[]) {
  let printed = '';
  const write = (text: string) => Boolean((printed += text));
  const mocks = [process.stdout, process.stderr].map((stream) => t.mock.method(stream, 'write', write));
  try {
    return { exitCode: await main(argv), printed };
  } finally {
    for (const mocked of mocks) mocked.mock.restore();
  }
}

test('the commands and flags are these, and each is explained', () => {
  const found = [...commands()].map(([name, { options }]) => [
    name,
    options.map(({ long }) => long).join(' '),
  ]);
  assert.deepEqual(Object.fromEntries(found), FLAGS);
  for (const command of [...createProgram().commands, ...commands().values()]) {
    assert.ok(command.description(), command.name());
    for (const { long, description } of command.options) assert.ok(description, `${command.name()} ${long}`);
  }
});

test('--help shows the commands and examples that they take', async (t) => {
  const { exitCode, printed } = await run(t, '--help');
  assert.equal(exitCode, 0);
  for (const { name } of createProgram().commands.map((command) => ({ name: command.name() })))
    assert.match(printed, new RegExp(`^  ${name} `, 'm'));
  const examples = [...printed.split('Examples:')[1]!.matchAll(/^ {2}ardm (.*?)(?: {2,}.*)?$/gm)];
  assert.ok(examples.length > 3);
  for (const [, words] of examples) {
    const example = words!.split(' ');
    const command = commands().get(example[0]!) ?? commands().get(example.slice(0, 2).join(' '));
    assert.ok(command, words);
    for (const flag of example.filter((word) => word.startsWith('--')))
      assert.ok(
        command.options.some(({ long }) => long === flag),
        `${words}: ${flag}`,
      );
  }
});

test('--version tells it, and no command at all gets the help and a failure', async (t) => {
  assert.deepEqual(await run(t, '--version'), { exitCode: 0, printed: `${version}\n` });
  const { exitCode, printed } = await run(t);
  assert.equal(exitCode, 2);
  assert.match(printed, /^Usage: ardm /);
});

test('a wrong command ends in one line that names the one that was meant', async () => {
  await assert.rejects(
    main(['sampel', 'runs/mnist']),
    (error) =>
      error instanceof UsageError &&
      error.message === "unknown command 'sampel' (Did you mean sample?). --help tells more",
  );
});
