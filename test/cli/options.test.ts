import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import * as coordinator from '../../coordinator/options.js';
import { UsageError } from '../../shared/errors.js';
import { version } from '../../shared/package.js';
import * as worker from '../../worker/options.js';

/** Every flag there is. One that goes or changes its name breaks people's scripts: that is a decision, not a side effect. */
const FLAGS = {
  coordinator: `--version --config --run-dir --workers --listen --http --steps --resume --set --keys --insecure --dry-run --json`,
  worker: `--version --coordinator --keys --gpu --cpu --engine --provider --threads --stdin --connect-timeout --http`,
};

test('the flags are these, and each is explained', () => {
  for (const [name, { createCommand }] of Object.entries({ coordinator, worker })) {
    const { options } = createCommand();
    assert.equal(options.map(({ long }) => long).join(' '), FLAGS[name as keyof typeof FLAGS]);
    for (const { description } of options) assert.ok(description);
  }
});

function withoutEnvironment(t: TestContext): void {
  const before = process.env.ARDM_COORDINATOR;
  delete process.env.ARDM_COORDINATOR;
  t.after(() => {
    delete process.env.ARDM_COORDINATOR;
    if (before !== undefined) process.env.ARDM_COORDINATOR = before;
  });
}

test('ardm-coord takes a config alone, and resumes', () => {
  assert.deepEqual(coordinator.parseOptions(['--config', 'c.yaml']), {
    config: 'c.yaml',
    sets: [],
    runDir: undefined,
    resume: 'latest',
    keys: undefined,
    insecure: false,
    dryRun: false,
    json: false,
  });
});

test('flags of ardm-coord that say what a setting says become settings, and win over --set', () => {
  const options = coordinator.parseOptions(
    '--config c.yaml --steps 5 --set training.steps=9 --set seed=1 --workers 0 --listen tcp://*:0 --http [::1]:9464 --run-dir r --resume never --insecure --dry-run --json'.split(
      ' ',
    ),
  );
  assert.deepEqual(options, {
    config: 'c.yaml',
    sets: [
      'training.steps=9',
      'seed=1',
      'training.steps=5',
      'workers.local=0',
      'listen=tcp://*:0',
      'http=[::1]:9464',
    ],
    runDir: 'r',
    resume: 'never',
    keys: undefined,
    insecure: true,
    dryRun: true,
    json: true,
  });
});

test('ardm-worker takes no flag at all, or the environment’s coordinator, or the one it is told', (t) => {
  withoutEnvironment(t);
  const none = {
    coordinator: 'tcp://127.0.0.1:5670',
    cpu: false,
    stdin: false,
    connectTimeoutSeconds: 300,
  };
  assert.deepEqual(worker.parseOptions([]), none);
  process.env.ARDM_COORDINATOR = 'tcp://10.0.0.5:1';
  assert.deepEqual(worker.parseOptions(['--gpu', '0']), { ...none, coordinator: 'tcp://10.0.0.5:1', gpu: 0 });
  delete process.env.ARDM_COORDINATOR;
  assert.deepEqual(worker.parseOptions(['--gpu', '2,0']), { ...none, gpus: [2, 0] });
  assert.deepEqual(worker.parseOptions(['--gpu', 'all', '--gpu', '3', '--stdin']), {
    ...none,
    gpu: 3,
    stdin: true,
  });
  assert.deepEqual(worker.parseOptions(['--gpu', 'all']), { ...none, gpus: 'all' });
  assert.deepEqual(
    worker.parseOptions(
      '--coordinator tcp://h:2 --cpu --engine tensorflow --provider cpu --threads 3 --connect-timeout 9 --http 127.0.0.1:0'.split(
        ' ',
      ),
    ),
    {
      coordinator: 'tcp://h:2',
      cpu: true,
      stdin: false,
      engine: 'tensorflow',
      provider: 'cpu',
      threads: 3,
      connectTimeoutSeconds: 9,
      http: '127.0.0.1:0',
    },
  );
});

test('wrong flags end in one clear line', (t) => {
  withoutEnvironment(t);
  const number = (least: number, most: number) =>
    `It must be a whole number from ${least} to ${most}. --help tells more`;
  const told: [parse: (argv: string[]) => unknown, argv: string, message: string][] = [
    [coordinator.parseOptions, '', '--config FILE is missing. --help tells more'],
    [
      coordinator.parseOptions,
      '--confg c',
      "unknown option '--confg' (Did you mean --config?). --help tells more",
    ],
    [coordinator.parseOptions, '--config', "option '--config <file>' argument missing. --help tells more"],
    [
      coordinator.parseOptions,
      '--config c d',
      'too many arguments. Expected 0 arguments but got 1. --help tells more',
    ],
    [
      coordinator.parseOptions,
      '--config c --steps 0',
      `option '--steps <n>' argument '0' is invalid. ${number(1, 4294967295)}`,
    ],
    [
      coordinator.parseOptions,
      '--config c --workers 1.5',
      `option '--workers <n>' argument '1.5' is invalid. ${number(0, 1024)}`,
    ],
    [
      coordinator.parseOptions,
      '--config c --listen 5670',
      "option '--listen <address>' argument '5670' is invalid. It must be tcp://HOST:PORT, such as tcp://127.0.0.1:5670. --help tells more",
    ],
    [
      coordinator.parseOptions,
      '--config c --http x',
      "option '--http <address>' argument 'x' is invalid. It must be HOST:PORT, such as 127.0.0.1:9464. --help tells more",
    ],
    [
      worker.parseOptions,
      '--gpu 0 --cpu',
      "option '--gpu <which>' cannot be used with option '--cpu'. --help tells more",
    ],
    [
      worker.parseOptions,
      '--gpu 0,-1',
      `option '--gpu <which>' argument '0,-1' is invalid. ${number(0, 1023)}`,
    ],
    [
      worker.parseOptions,
      '--gpu 1,1',
      "option '--gpu <which>' argument '1,1' is invalid. It names one twice. --help tells more",
    ],
    [
      worker.parseOptions,
      '--engine torch',
      "option '--engine <name>' argument 'torch' is invalid. Allowed choices are onnxruntime, tensorflow. --help tells more",
    ],
    [worker.parseOptions, '--cpu --provider cuda', '--cpu and --provider cuda contradict each other'],
    [worker.parseOptions, '--gpu 0,1 --provider cpu', '--gpu 0,1 and --provider cpu contradict each other'],
    [
      worker.parseOptions,
      '--engine tensorflow --provider webgpu',
      '--engine tensorflow and --provider webgpu contradict each other',
    ],
    [
      worker.parseOptions,
      '--coordinator host:1',
      "option '--coordinator <address>' argument 'host:1' is invalid. It must be tcp://HOST:PORT, such as tcp://127.0.0.1:5670. --help tells more",
    ],
  ];
  for (const [parse, argv, message] of told) {
    assert.throws(
      () => parse(argv.split(' ').filter(Boolean)),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, message);
        return true;
      },
    );
  }
  process.env.ARDM_COORDINATOR = 'nowhere';
  assert.throws(
    () => worker.parseOptions([]),
    /value 'nowhere' from env 'ARDM_COORDINATOR' is invalid\. It must be tcp:/,
  );
});

test('--help shows examples and exit codes, --version the version, and both end well', (t) => {
  let printed = '';
  t.mock.method(process.stdout, 'write', (text: string) => Boolean((printed += text)));
  for (const { parseOptions } of [coordinator, worker]) {
    printed = '';
    assert.deepEqual(parseOptions(['--help']), { exitCode: 0 });
    assert.match(printed, /^Usage: ardm-\w+ \[options\]\n(.|\n)*Examples:\n(.|\n)*Exit codes:/);
    printed = '';
    assert.deepEqual(parseOptions(['--version']), { exitCode: 0 });
    assert.equal(printed, `${version}\n`);
  }
});
