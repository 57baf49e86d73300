import assert from 'node:assert/strict';
import test from 'node:test';
import { allPaths, keysAt } from '../../shared/config/keys.js';
import { configJsonSchema } from '../../shared/config/reference.js';

/** Every setting there is. One that goes or changes its name breaks people's files: that is a decision, not a side effect. */
const SETTINGS = `
name seed data model training evaluation samples checkpoints workers exchange trackers notify listen http
data: set folder file vocabulary length context sampleRate testFraction augment
model: kind output mixtures edges upscale ceWeight timeSteps network
model.upscale: base map parametrization
model.network: kind channels multipliers blocks attention heads groups dropout layers width mlpWidth attentionDropout dilationCycle
training: steps batch slices learningRate warmupSteps beta1 beta2 epsilon weightDecay clip ema
evaluation: everySteps examples passes batch timeSteps
samples: everySteps count budget policy batch
checkpoints: everySteps keepLast keepEvery syncJournal
workers: local hosts minimum waitSeconds restarts heartbeatSeconds heartbeatTimeoutSeconds stepTimeoutSeconds recoverSeconds hashEverySteps bucketBytes sharedMemory
exchange: codec
exchange.codec: kind rounding density rank
trackers: tensorboard timeline otlp
notify: webhook command on waitingSeconds
`;

test('the settings are these', () => {
  const groups = ['', ...allPaths().filter((path) => keysAt(path.split('.')))];
  const found = groups.map((group) => {
    const keys = keysAt(group ? group.split('.') : [])!.join(' ');
    return group ? `${group}: ${keys}` : keys;
  });
  assert.deepEqual(found.sort(), SETTINGS.trim().split('\n').sort());
});

test('each kind of network has these settings', () => {
  const found = ['unet', 'transformer', 'diffwave'].map((kind) =>
    keysAt(['model', 'network'], kind)!.join(' '),
  );
  assert.deepEqual(found, [
    'kind channels multipliers blocks attention heads groups dropout',
    'kind layers width heads mlpWidth dropout attentionDropout',
    'kind channels blocks dilationCycle',
  ]);
});

test('every setting and group is described', () => {
  const check = (schema: Record<string, unknown>, path: string) => {
    for (const choice of (schema.oneOf ?? []) as Record<string, unknown>[]) {
      assert.match(String(choice.description), /[.]$/, path);
      const { kind, ...others } = choice.properties as Record<string, { const: string }>;
      check({ properties: others }, `${path}${kind!.const}.`);
    }
    for (const [key, setting] of Object.entries(
      (schema.properties ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      assert.match(String(setting.description), /[.]$/, `${path}${key}`);
      check(setting, `${path}${key}.`);
      if (setting.items) check(setting.items as Record<string, unknown>, `${path}${key}[].`);
    }
  };
  check(configJsonSchema() as Record<string, unknown>, '');
});
