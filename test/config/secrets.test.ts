import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { describeRun, formatDescription } from '../../shared/config/describe.js';
import { loadConfig } from '../../shared/config/load.js';
import { withoutNotices } from '../../shared/config/secrets.js';
import { publicConfig } from '../../shared/page/public-config.js';
import { temporaryFolder } from '../data/temporary.js';

const CONFIG = `
name: x
data: { set: mnist }
model: { network: { kind: unet } }
training: { steps: 1, batch: 1, slices: 1 }
`;
const NOTIFY = `notify: { webhook: 'https://hooks.example.com/s3cret', command: [post, --token, s3cret], on: [done] }\n`;

async function configFile(t: TestContext, text: string): Promise<string> {
  const file = path.join(await temporaryFolder(t), 'x.yaml');
  await writeFile(file, text);
  return file;
}

test('where notices go is neither shown, described nor stored', async (t) => {
  const loaded = await loadConfig(await configFile(t, CONFIG + NOTIFY));
  const { config } = loaded;
  assert.equal(config.notify.webhook, 'https://hooks.example.com/s3cret');
  const description = await describeRun(loaded);
  const seen = [JSON.stringify(description), formatDescription(description), publicConfig(config)];
  for (const told of [...seen, withoutNotices(config)])
    assert.doesNotMatch(JSON.stringify(told), /s3cret|hooks\.example/);
  assert.deepEqual(description.config.notify, { ...config.notify, webhook: 'hidden', command: 'hidden' });
});

test('a description with hidden settings is no config that works by accident', async (t) => {
  const text = formatDescription(await describeRun(await loadConfig(await configFile(t, CONFIG + NOTIFY))));
  await assert.rejects(
    loadConfig(await configFile(t, text)),
    /notify\.webhook: must be an address.*\n.*notify\.command: must be a list/,
  );
  const none = formatDescription(await describeRun(await loadConfig(await configFile(t, CONFIG))));
  assert.equal((await loadConfig(await configFile(t, none))).config.notify.webhook, undefined);
});

test('a wrong address is refused without being repeated', async (t) => {
  const file = await configFile(t, CONFIG);
  for (const wrong of [
    'notify.webhook=htps://hooks.example.com/s3cret',
    'notify.webhook=https://me:s3cret@example.com/',
    'notify.webhook=[s3cret]',
    'notify.command=s3cret',
    'notify.command=[post, 3]',
    'notify={webhook: "s3cret"}',
    'notify=s3cret',
    'notify.webhook={s3cret',
  ])
    await assert.rejects(loadConfig(file, [wrong]), (error: Error) => {
      assert.match(error.message, /^--set notify/);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
});
