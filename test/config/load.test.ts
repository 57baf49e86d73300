import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { loadConfig } from '../../shared/config/load.js';
import { EXIT, UsageError } from '../../shared/errors.js';
import { packageRoot } from '../../shared/package.js';
import { temporaryFolder } from '../data/temporary.js';

const GOOD = `name: small
seed: 7
data:
  set: mnist
model:
  network:
    kind: unet
    channels: 32
    groups: 8
training:
  steps: 100
  batch: 16
  slices: 4
`;

/** Writes a config file; `edits` replace text in the good one. */
async function write(
  t: TestContext,
  ...edits: readonly (readonly [from: string, to: string])[]
): Promise<string> {
  const file = path.join(await temporaryFolder(t), 'c.yaml');
  let text = GOOD;
  for (const [from, to] of edits) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
  return file;
}

/** The lines of the refusal, the file's folder left out. */
async function refusal(file: string, sets: readonly string[] = []): Promise<string[]> {
  try {
    await loadConfig(file, sets);
  } catch (error) {
    assert.ok(error instanceof UsageError, `${error instanceof Error ? error.stack : error}`);
    assert.equal(error.exitCode, EXIT.usage);
    return error.message.replaceAll(path.dirname(file) + path.sep, '').split('\n');
  }
  assert.fail('accepted');
}

test('a config is read with every default filled in', async (t) => {
  const file = await write(t);
  const { config, path: read, notes } = await loadConfig(file);
  assert.equal(read, file);
  assert.deepEqual(notes, []);
  assert.deepEqual([config.seed, config.training.learningRate, config.workers.minimum], [7, 1e-4, 1]);
  assert.deepEqual([config.samples.count, config.samples.budget], [64, undefined]);
  assert.equal(config.listen, 'tcp://127.0.0.1:5670');
});

test('each wrong setting is told with its place, and what to write instead', async (t) => {
  const told: [from: string, to: string, message: string][] = [
    ['steps: 100', 'steps: many', 'c.yaml:11:10: training.steps: must be a whole number, not "many"'],
    [
      'steps: 100',
      'steps: "100"',
      'c.yaml:11:10: training.steps: must be a whole number, not "100": write it without quotes or separators',
    ],
    ['steps: 100', 'steps: 1.5', 'c.yaml:11:10: training.steps: must be a whole number, not 1.5'],
    ['steps: 100', 'steps: 0', 'c.yaml:11:10: training.steps: must be at least 1, not 0'],
    [
      'steps: 100',
      'steps: 5000000000',
      'c.yaml:11:10: training.steps: must be at most 4294967295, not 5000000000',
    ],
    ['steps: 100', 'steps: .nan', 'c.yaml:11:10: training.steps: must be a whole number, not NaN'],
    ['steps: 100', 'steps:', 'c.yaml:11:9: training.steps: has no value: it must be a whole number'],
    ['  steps: 100\n', '', 'c.yaml:10:1: training.steps: is missing: it must be a whole number'],
    ['data:\n  set: mnist\n', '', 'c.yaml:1:1: data: is missing: it must be a group of keys'],
    [
      'set: mnist',
      'set: minst',
      'c.yaml:4:8: data.set: must be one of mnist, fashion-mnist, binarised-mnist, cifar10, text8, enwik8, sc09, folder, text, wav, not "minst"; did you mean mnist?',
    ],
    [
      'kind: unet',
      'kind: resnet',
      'c.yaml:7:11: model.network.kind: must be one of unet, transformer, diffwave, not "resnet"',
    ],
    [
      'kind: unet',
      'kind: transfomer',
      'c.yaml:7:11: model.network.kind: must be one of unet, transformer, diffwave, not "transfomer"; did you mean transformer?',
    ],
    [
      '    kind: unet\n',
      '',
      'c.yaml:6:3: model.network.kind: is missing: it must be one of unet, transformer, diffwave',
    ],
    ['channels: 32', 'channels: 30', 'c.yaml:8:15: model.network.channels: must be a multiple of 4, not 30'],
    [
      'groups: 8',
      'multipliers: []',
      'c.yaml:9:18: model.network.multipliers: must have at least 1 entries, not []',
    ],
    [
      'groups: 8',
      'multipliers: [1, x]',
      'c.yaml:9:22: model.network.multipliers.1: must be a whole number, not "x"',
    ],
    [
      'groups: 8',
      'attention: none',
      'c.yaml:9:16: model.network.attention: must be middle, all, or a list of resolutions such as [16, 8], not "none"',
    ],
    ['groups: 8', 'dropout: 1', 'c.yaml:9:14: model.network.dropout: must be less than 1, not 1'],
    [
      'slices: 4',
      'slices: 3',
      'c.yaml:13:11: training.slices: must be a power of two: 1, 2, 4, 8, ..., not 3',
    ],
    ['slices: 4', 'slices: 4\n  epsilon: 0', 'c.yaml:14:12: training.epsilon: must be more than 0, not 0'],
    ['seed: 7', 'seed: -1', 'c.yaml:2:7: seed: must be at least 0, not -1'],
    [
      'seed: 7',
      'listen: 127.0.0.1:1',
      'c.yaml:2:9: listen: must be tcp://HOST:PORT, such as tcp://127.0.0.1:5670, not "127.0.0.1:1"',
    ],
    [
      'seed: 7',
      'http: localhost:65536',
      'c.yaml:2:7: http: must be HOST:PORT, such as 127.0.0.1:9464, not "localhost:65536"',
    ],
    [
      'name: small',
      'name: ../x',
      'c.yaml:1:7: name: must be letters, digits, dot, dash and underscore, and start with a letter or digit, not "../x"',
    ],
    ['seed: 7', 'evaluation: 3', 'c.yaml:2:13: evaluation: must be a group of keys, not 3'],
  ];
  for (const [from, to, message] of told)
    assert.deepEqual(await refusal(await write(t, [from, to])), [message]);
});

test('an unknown key is refused with the nearest right one', async (t) => {
  const told: [from: string, to: string, message: string][] = [
    [
      'slices: 4',
      'slices: 4\n  learning_rate: 1',
      'c.yaml:14:3: training.learning_rate: unknown key; did you mean learningRate?',
    ],
    [
      'seed: 7',
      'learningRate: 1',
      'c.yaml:2:1: learningRate: unknown key; did you mean training.learningRate?',
    ],
    [
      'seed: 7',
      'everySteps: 1',
      'c.yaml:2:1: everySteps: unknown key; did you mean evaluation.everySteps or samples.everySteps or checkpoints.everySteps?',
    ],
    [
      'set: mnist',
      'set: mnist\n  optimizer: adam',
      'c.yaml:5:3: data.optimizer: unknown key; known here: set, folder, file, vocabulary, length, context, sampleRate, testFraction, augment',
    ],
    [
      'seed: 7',
      '__proto__: {seed: 1}',
      'c.yaml:2:1: __proto__: unknown key; known here: name, seed, data, model, training, evaluation, samples, checkpoints, workers, exchange, trackers, notify, listen, http',
    ],
  ];
  for (const [from, to, message] of told)
    assert.deepEqual(await refusal(await write(t, [from, to])), [message]);
});

test('several errors are told at once', async (t) => {
  const file = await write(t, ['seed: 7', 'sede: 7'], ['steps: 100', 'steps: x'], ['groups: 8', 'heads: 0']);
  assert.deepEqual(await refusal(file), [
    'c.yaml:9:12: model.network.heads: must be at least 1, not 0',
    'c.yaml:11:10: training.steps: must be a whole number, not "x"',
    'c.yaml:2:1: sede: unknown key; did you mean seed?',
  ]);
});

test('settings that do not go together are refused', async (t) => {
  const told: [from: string, to: string, message: string][] = [
    ['batch: 16', 'batch: 18', 'c.yaml:13:11: training.slices: 4 slices do not divide training.batch 18'],
    [
      'seed: 7',
      'workers: {heartbeatSeconds: 5}',
      'c.yaml:2:1: workers.heartbeatTimeoutSeconds: 5 must be more than workers.heartbeatSeconds 5',
    ],
    [
      'seed: 7',
      'workers: {stepTimeoutSeconds: 2}',
      'c.yaml:2:31: workers.stepTimeoutSeconds: 2 must be more than workers.heartbeatTimeoutSeconds 5',
    ],
    [
      'set: mnist',
      'set: folder',
      'c.yaml:3:1: data.folder: is missing: set: folder needs it, as in --set data.folder=FOLDER',
    ],
    [
      'set: mnist',
      'set: mnist\n  folder: x',
      'c.yaml:5:11: data.folder: goes with set: folder and set: wav only, not mnist',
    ],
    [
      'groups: 8',
      'groups: 12',
      'c.yaml:9:13: model.network.groups: is 12, which does not divide the 32 channels of down_0.block_0: take a divisor.',
    ],
    [
      'groups: 8',
      'groups: 8\n    heads: 3',
      'c.yaml:10:12: model.network.heads: is 3, which does not divide the 32 channels of mid.attn_1: take a divisor.',
    ],
    [
      'groups: 8',
      'groups: 8\n    multipliers: [1, 1, 1, 1]',
      "c.yaml:10:18: model.network.multipliers: has 4 resolutions, so the images' height and width must be multiples of 8, but they are 28 x 28: give fewer multipliers.",
    ],
  ];
  for (const [from, to, message] of told)
    assert.deepEqual(await refusal(await write(t, [from, to])), [message]);
});

/** Models of another data set, as their files would have them. */
const KINDS = {
  text: 'text8-small.yaml',
  arm: 'text8-arm-small.yaml',
  permuted: 'text8-permuted-small.yaml',
  audio: 'sc09-small.yaml',
  stages: 'sc09-upscale16-small.yaml',
  colour: 'cifar10-upscale4-small.yaml',
  grey: 'mnist.yaml',
} as const;

test('lengths, stages, bases, budgets and classes that do not fit together are refused with the numbers', async () => {
  const told: [kind: keyof typeof KINDS, set: string, message: string, ...sets: string[]][] = [
    [
      'stages',
      'model.upscale.base=3',
      'model.upscale.base: 3 makes 11 stages of 177147 classes, and parametrization: direct needs just the 65536 of a variable: take a base of which they are a power',
    ],
    [
      'colour',
      'model.upscale.base=8',
      'model.upscale.base: 8 makes 3 stages of 512 classes, and parametrization: direct needs just the 256 of a variable: take a base of which they are a power',
      'model.upscale.parametrization=direct',
    ],
    [
      'colour',
      'model.upscale.base=300',
      'model.upscale.base: 300 is more than the 256 classes of a variable',
    ],
    [
      'text',
      'model.upscale.base=30',
      'model.upscale.base: 30 is more than the 28 classes of a variable',
      'model.kind=upscale',
    ],
    [
      'stages',
      'model.upscale.map=augment',
      'model.upscale.map: augment does not go with parametrization: direct',
    ],
    [
      'text',
      'model.upscale.map=augment-text8',
      'model.upscale.map: augment-text8 is for the 28 classes of text8, not for 257',
      'model.kind=upscale',
      'data.set=enwik8',
    ],
    [
      'colour',
      'model.output=logistic',
      'model.output: logistic does not go with model.kind upscale: its stages are softmaxes',
    ],
    [
      'grey',
      'model.output=logistic-rgb',
      'model.output: logistic-rgb is for images of 3 channels, and those of mnist have 1',
    ],
    [
      'grey',
      'samples.budget=785',
      'samples.budget: 785 network calls are more than the 784 variables that are to be generated: take at most 784',
    ],
    [
      'colour',
      'samples.budget=3073',
      'samples.budget: 3073 network calls are more than the 3072 variables that are to be generated: take at most 3072',
    ],
    [
      'colour',
      'samples.budget=1025',
      'samples.budget: 1025 network calls are more than the 1024 pixels that are to be generated: take at most 1024',
      'model.kind=oa',
      'model.output=logistic-rgb',
    ],
    [
      'text',
      'data.length=31',
      'samples.budget: 32 network calls are more than the 31 variables that are to be generated: take at most 31',
    ],
    [
      'arm',
      'samples.budget=8',
      'samples.budget: 8 does not go with model.kind arm, which takes a network call a variable',
    ],
    ['grey', 'data.context=4', 'data.context: goes with text only, not mnist'],
    ['audio', 'data.context=4', 'data.context: goes with text only, not sc09'],
    ['permuted', 'data.context=4', 'data.context: 4 does not go with model.kind permuted'],
    ['grey', 'data.length=4', 'data.length: goes with text and audio only, not mnist'],
    ['text', 'data.file=x', 'data.file: goes with set: text only, not text8'],
    ['text', 'data.set=text', 'data.file: is missing: set: text needs it, as in --set data.file=FILE'],
    ['text', 'data.vocabulary=enwik8', 'data.vocabulary: goes with set: text only, not text8'],
    ['audio', 'data.sampleRate=8000', 'data.sampleRate: goes with set: wav only, not sc09'],
    ['audio', 'data.set=wav', 'data.folder: is missing: set: wav needs it, as in --set data.folder=FOLDER'],
    ['text', 'data.augment=flip', 'data.augment: goes with images only, not text8'],
    [
      'text',
      'model.network.heads=3',
      'model.network.heads: is 3, which does not divide model.network.width, 128: take a divisor.',
    ],
    [
      'text',
      'model.network={kind: unet}',
      'model.network.kind: unet is for images, not text8: take a transformer',
    ],
    [
      'audio',
      'model.network={kind: unet}',
      'model.network.kind: unet is for images, not sc09: take a diffwave',
    ],
    [
      'grey',
      'model.network={kind: transformer}',
      'model.network.kind: transformer is for text and audio, not mnist: take a unet',
    ],
    ['grey', 'model.kind=arm', 'model.kind: arm is for text and audio, not mnist', 'samples.budget='],
    [
      'audio',
      'model.kind=permuted',
      'model.kind: permuted takes a transformer, not a diffwave',
      'samples.budget=',
    ],
  ];
  for (const [kind, set, message, ...sets] of told)
    assert.deepEqual(await refusal(KINDS[kind], [...sets, set]), [`--set ${set}: ${message}`]);
});

test('what just fits is taken', async () => {
  const taken: [kind: keyof typeof KINDS, ...sets: string[]][] = [
    ['stages', 'model.upscale.base=256'],
    ['colour', 'model.upscale.base=3'],
    ['colour', 'model.upscale.base=256'],
    ['colour', 'samples.budget=3072'],
    ['text', 'data.length=32'],
    ['text', 'data.context=64'],
    ['text', 'model.kind=upscale', 'model.upscale.map=augment-text8'],
    ['arm', 'data.context=64'],
  ];
  for (const [kind, ...sets] of taken)
    await assert.doesNotReject(loadConfig(KINDS[kind], sets), `${kind} ${sets.join(' ')}`);
});

test('keys of another kind of network are told together, with those of this kind', async () => {
  const advice = 'to change the kind, give all of model.network anew: {kind: KIND, ...}';
  const unet = 'kind, channels, multipliers, blocks, attention, heads, groups, dropout';
  const transformer = 'kind, layers, width, heads, mlpWidth, dropout, attentionDropout';
  assert.deepEqual(await refusal(KINDS.grey, ['model.network.layers=3']), [
    `--set model.network.layers=3: model.network.layers: is no key of kind unet, which has ${unet}; ${advice}`,
  ]);
  const [line, ...others] = await refusal(KINDS.grey, ['model.network.kind=transformer']);
  assert.deepEqual(others, []);
  assert.match(line!, /mnist\.yaml:\d+:5: model\.network\.channels: /);
  assert.ok(
    line!.endsWith(
      `is no key of kind transformer (nor are multipliers, blocks, groups), which has ${transformer}; ${advice}`,
    ),
    line,
  );
  const set = 'model.network={kind: transformer, layer: 3, blocks: 4, foo: 1}';
  assert.deepEqual(await refusal(KINDS.grey, [set]), [
    `--set ${set}: model.network.layer: unknown key; did you mean layers?`,
    `--set ${set}: model.network.foo: unknown key; known here: ${transformer}`,
    `--set ${set}: model.network.blocks: is no key of kind transformer, which has ${transformer}; ${advice}`,
  ]);
  const dilation = 'model.network.dilationCycel=3';
  assert.deepEqual(await refusal(KINDS.grey, [dilation]), [
    `--set ${dilation}: there is no ${dilation.split('=')[0]}; did you mean dilationCycle?`,
  ]);
});

test('outputs that no memory holds are warned of', async () => {
  const notes = async (kind: keyof typeof KINDS, ...sets: string[]) =>
    (await loadConfig(KINDS[kind], sets)).notes.filter((note) => note.includes('warning'));
  assert.deepEqual(await notes('audio', 'model.output=softmax'), [
    '--set model.output=softmax: warning: model.output: 65536 outputs for each of 16000 positions are 4.2 GB an example; take logistic, or model.kind: upscale with parametrization: direct',
  ]);
  assert.match((await notes('stages', 'model.upscale.parametrization=data')).join(), /take direct$/);
  assert.deepEqual(await notes('audio', 'model.output=softmax', 'data.length=500'), []);
});

test('a net that is blind to its time step is warned of', async (t) => {
  const { notes } = await loadConfig(await write(t, ['groups: 8', 'groups: 32']));
  assert.equal(notes.length, 1);
  assert.match(
    notes[0]!,
    /c\.yaml:9:13: warning: model\.network\.groups: 32 groups on 32 channels: .* take at most 16$/,
  );
  assert.deepEqual((await loadConfig(await write(t, ['groups: 8', 'groups: 16']))).notes, []);
});

test('--set gives settings other values, the last one counting', async (t) => {
  const file = await write(t);
  const sets = [
    'training.batch=4',
    'training.batch=64',
    'model.network.multipliers=[1, 2]',
    'seed=',
    'evaluation={passes: 4}',
    'samples.budget=50',
    'samples.budget=',
  ];
  const { config: before } = await loadConfig(file);
  const { config } = await loadConfig(file, sets);
  assert.equal(config.training.batch, 64);
  assert.deepEqual(config.model.network, { ...before.model.network, multipliers: [1, 2] });
  assert.equal(config.seed, 0);
  assert.equal(config.evaluation.passes, 4);
  assert.equal(config.samples.budget, undefined);
});

test('what is wrong with --set is told by the flag', async (t) => {
  const told: [set: string, message: string][] = [
    ['training.steps=abc', '--set training.steps=abc: training.steps: must be a whole number, not "abc"'],
    [
      'training.batch=18',
      '--set training.batch=18: training.slices: 4 slices do not divide training.batch 18',
    ],
    [
      'training={steps: 1, batch: 16}',
      '--set training={steps: 1, batch: 16}: training.slices: is missing: it must be a whole number',
    ],
    ['name=', '--set name=: name: is missing: it must be text'],
    ['training.stepps=1', '--set training.stepps=1: there is no training.stepps; did you mean steps?'],
    ['learningRate=1', '--set learningRate=1: there is no learningRate; did you mean training.learningRate?'],
    ['modle.kind=oa', '--set modle.kind=oa: there is no modle.kind; did you mean model?'],
    ['seed.x=1', '--set seed.x=1: seed is a setting of its own: set it as a whole'],
    [
      'constructor.x=1',
      '--set constructor.x=1: there is no constructor.x; known here: name, seed, data, model, training, evaluation, samples, checkpoints, workers, exchange, trackers, notify, listen, http',
    ],
    ['training.steps', '--set training.steps: write PATH=VALUE, such as training.steps=100'],
    ['=3', '--set =3: write PATH=VALUE, such as training.steps=100'],
    ['seed=[1', '--set seed=[1: value:1:3: Flow sequence must end with a ]'],
    ['workers.local=-1', '--set workers.local=-1: workers.local: must be at least 0, not -1'],
    [
      'workers.local=many',
      '--set workers.local=many: workers.local: must be a whole number from 0 to 1024, or auto, not "many"',
    ],
    [
      'workers.hosts=[{host: -oProxyCommand=x, coordinator: tcp://h:1}]',
      '--set workers.hosts=[{host: -oProxyCommand=x, coordinator: tcp://h:1}]: workers.hosts.0.host: must be a host as ssh takes it, such as me@gpu1, not "-oProxyCommand=x"',
    ],
    [
      'workers.hosts=[{host: gpu1}]',
      '--set workers.hosts=[{host: gpu1}]: listen: tcp://127.0.0.1:5670 is out of reach for workers.hosts: take tcp://0.0.0.0:5670 with --keys',
    ],
  ];
  const file = await write(t);
  for (const [set, message] of told) assert.deepEqual(await refusal(file, [set]), [message]);
  assert.equal((await refusal(file, ['x=1', 'y=2'])).length, 2);
});

test('a file that is no text of a config is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'c.yaml');
  const refuses = async (content: string | Uint8Array, message: RegExp) => {
    writeFileSync(file, content);
    assert.match((await refusal(file)).join('\n'), message);
  };
  await refuses('', /^c\.yaml:1:1: name: is missing: it must be text$/m);
  await refuses('just words', /^c\.yaml:1:1: the config must be a group of keys, not "just words"$/);
  await refuses('- a', /^c\.yaml:1:1: the config must be a group of keys, not \["a"\]$/);
  await refuses(new Uint8Array([0xff, 0xfe, 0]), /^c\.yaml is no UTF-8 text$/);
  await refuses('#'.repeat(65_537), /^c\.yaml has more than 65536 bytes: no config has$/);
  const directory = path.join(folder, 'd.yaml');
  mkdirSync(directory);
  assert.match((await refusal(directory)).join('\n'), /^d\.yaml can't be read: EISDIR/);
});

test('a config that is not there is taken from the package, and said so', async (t) => {
  const before = process.cwd();
  process.chdir(await temporaryFolder(t));
  t.after(() => process.chdir(before));
  const { path: read, notes } = await loadConfig('cifar10.yaml');
  assert.equal(read, path.join(packageRoot, 'configs', 'cifar10.yaml'));
  assert.deepEqual(notes, [`There is no cifar10.yaml in this folder: taking the packaged ${read}`]);
  writeFileSync('cifar10.yaml', GOOD);
  assert.equal((await loadConfig('cifar10.yaml')).config.name, 'small');
  const refused =
    /^there is no config cifr10\.yaml\. Did you mean cifar10\.yaml\? Packaged ones: audio\.yaml, .*, text8\.yaml$/;
  assert.match((await refusal('cifr10.yaml')).join('\n'), refused);
  assert.match((await refusal('configs/cifr10.yaml')).join('\n'), refused);
});

test('a folder of images is found from the config file, or from where --set is typed', async (t) => {
  const file = await write(t, ['set: mnist', 'set: folder\n  folder: pngs']);
  assert.equal((await loadConfig(file)).config.data.folder, path.join(path.dirname(file), 'pngs'));
  assert.equal((await loadConfig(file, ['data.folder=pngs'])).config.data.folder, path.resolve('pngs'));
});

test('the hash changes with what decides the weights, and with nothing else', async (t) => {
  const file = await write(t);
  const { hash } = await loadConfig(file);
  assert.match(hash, /^[0-9a-f]{64}$/);
  for (const set of [
    'seed=8',
    'data.set=fashion-mnist',
    'data.augment=flip',
    'model.ceWeight=0',
    'model.network.groups=4',
    'training.batch=32',
    'training.slices=2',
    'training.ema=0.5',
  ])
    assert.notEqual((await loadConfig(file, [set])).hash, hash, set);
  for (const set of [
    'name=other',
    'training.steps=200',
    'training.clip=100',
    'evaluation.passes=2',
    'samples.count=1',
    'checkpoints.everySteps=1',
    'workers.local=2',
    'listen=tcp://127.0.0.1:0',
    'http=127.0.0.1:0',
  ])
    assert.equal((await loadConfig(file, [set])).hash, hash, set);
  const inFolder = async (folder: string) =>
    (await loadConfig(file, ['data.set=folder', `data.folder=${folder}`])).hash;
  assert.equal(await inFolder('/a/faces'), await inFolder('/b/faces'));
  assert.notEqual(await inFolder('/a/faces'), await inFolder('/a/cats'));
});
