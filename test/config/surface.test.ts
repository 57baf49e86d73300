import assert from 'node:assert/strict';
import test from 'node:test';
import { allPaths, keysAt } from '../../shared/config/keys.js';
import { configJsonSchema } from '../../shared/config/reference.js';

/** Every setting there is. One that goes or changes its name breaks people's files: that is a decision, not a side effect. */
const SETTINGS = `
name seed data model training evaluation samples checkpoints workers listen http
data: set folder testFraction augment
model: kind output ceWeight timeSteps network
model.network: kind channels multipliers blocks attention heads groups dropout
training: steps batch slices learningRate warmupSteps beta1 beta2 epsilon weightDecay clip ema
evaluation: everySteps examples passes batch timeSteps
samples: everySteps count budget batch
checkpoints: everySteps keepLast keepEvery
workers: local minimum waitSeconds restarts heartbeatSeconds heartbeatTimeoutSeconds stepTimeoutSeconds hashEverySteps bucketBytes
`;

test('the settings are these', () => {
  const groups = ['', ...allPaths().filter((path) => keysAt(path.split('.')))];
  const found = groups.map((group) => {
    const keys = keysAt(group ? group.split('.') : [])!.join(' ');
    return group ? `${group}: ${keys}` : keys;
  });
  assert.deepEqual(found.sort(), SETTINGS.trim().split('\n').sort());
});

test('every setting and group is described', () => {
  const check = (schema: Record<string, unknown>, path: string) => {
    for (const [key, setting] of Object.entries(
      (schema.properties ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      assert.match(String(setting.description), /[.]$/, `${path}${key}`);
      check(setting, `${path}${key}.`);
    }
  };
  check(configJsonSchema() as Record<string, unknown>, '');
});
