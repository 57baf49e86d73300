import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../data/temporary.js';
import { Command } from '../e2e/processes.js';

test('a run goes on with its text moved, not with another one or none', async (t) => {
  const home = await temporaryFolder(t);
  const file = path.join(home, 'book.txt');
  const text = 'the cat sat on the mat and '.repeat(40);
  writeFileSync(file, text);
  const train = async (place: string, steps: number): Promise<string> => {
    const settings = {
      'data.file': place,
      'data.length': 8,
      'model.network': '{ kind: transformer, layers: 1, width: 8, heads: 2, mlpWidth: 16 }',
      'training.batch': 2,
      'evaluation.examples': 2,
      'samples.count': 0,
      'samples.budget': '',
    };
    const args = ['--config', 'text.yaml', '--steps', String(steps), '--workers', '1'];
    const ports = ['--listen', 'tcp://127.0.0.1:0', '--http', '127.0.0.1:0'];
    const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const command = new Command(t, 'coordinator', [...args, ...ports, ...sets], { cwd: home });
    return `${await command.exit()}: ${command.stderr}`;
  };
  const checkpoints = () => readdirSync(path.join(home, 'runs', 'text', 'checkpoints')).toSorted();
  assert.match(await train(file, 1), /^0: /);
  writeFileSync(file, text.replace('cat', 'dog'));
  assert.match(
    await train(file, 2),
    /^2: [^]*book\.txt has changed since \S+step-00000001 was trained on it\. Bring back .*--resume never/,
  );
  rmSync(file);
  assert.match(await train(file, 2), /^1: [^]*can't read \S+book\.txt: there is none\. Bring it back/);
  assert.deepEqual(checkpoints(), ['latest', 'step-00000001']);
  const below = path.join(await temporaryFolder(t), 'book.txt');
  writeFileSync(file, text);
  renameSync(file, below);
  assert.match(await train(below, 2), /^0: [^]*going on from step 1/);
});

test('fewer training examples than a batch are refused, before training and by --dry-run', async (t) => {
  const home = await temporaryFolder(t);
  writeFileSync(path.join(home, 'note.txt'), 'the cat sat on the mat and '.repeat(10));
  const args = [
    '--config',
    'text.yaml',
    '--set',
    'data.file=note.txt',
    '--set',
    'data.length=8',
    '--set',
    'samples.budget=',
  ];
  for (const more of [[], ['--dry-run']]) {
    const command = new Command(t, 'coordinator', [...args, ...more], { cwd: home });
    assert.equal(await command.exit(), 2);
    assert.match(
      command.stderr,
      /training\.batch is 32, but text has 7 training examples: take a smaller batch/,
    );
  }
  assert.deepEqual(readdirSync(home), ['note.txt']);
});
