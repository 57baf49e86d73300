import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkWritable, writeOutput, writeTogether } from '../../cli/output-file.js';
import { UserError } from '../../shared/errors.js';
import { temporaryFolder } from '../data/temporary.js';

test('a file is replaced, not written over: who has the former one open keeps it whole', async (t) => {
  const folder = await temporaryFolder(t);
  const [file, former] = ['x.png', 'former.png'].map((name) => path.join(folder, name)) as [string, string];
  writeFileSync(file, 'former');
  linkSync(file, former);
  await checkWritable(file);
  assert.equal(readFileSync(file, 'utf8'), 'former');
  await writeOutput(file, Buffer.from('new'));
  assert.deepEqual([readFileSync(file, 'utf8'), readFileSync(former, 'utf8')], ['new', 'former']);
  assert.deepEqual(readdirSync(folder).toSorted(), ['former.png', 'x.png']);
});

test('a place that cannot hold the file is refused by its name, and nothing is left there', async (t) => {
  const folder = await temporaryFolder(t);
  const at = (...names: string[]) => path.join(folder, ...names);
  mkdirSync(at('taken'));
  writeFileSync(at('file'), '');
  const refused = (file: string, reason: RegExp) => (error: unknown) =>
    error instanceof UserError && error.message.includes(file) && reason.test(error.message);
  await assert.rejects(checkWritable(at('taken')), refused(at('taken'), /is no regular file/));
  await assert.rejects(checkWritable('/dev/null'), refused('/dev/null', /is no regular file/));
  await assert.rejects(checkWritable(at('no', 'x')), refused(at('no', 'x'), /^can't write .*ENOENT/));
  await assert.rejects(checkWritable(at('file', 'x')), refused(at('file', 'x'), /^can't write .*ENOTDIR/));
  await assert.rejects(writeOutput(at('taken'), Buffer.from('x')), refused(at('taken'), /^can't write/));
  assert.deepEqual(readdirSync(folder).toSorted(), ['file', 'taken']);
});

test('files that belong together are there all or none, whichever of them fails', async (t) => {
  const folder = await temporaryFolder(t);
  const at = (...names: string[]) => path.join(folder, ...names);
  const failing = function* () {
    yield Buffer.from('half');
    throw Object.assign(new Error('ENOSPC: no space left'), { errno: -28 });
  };
  const files = [
    [at('a'), [Buffer.from('one'), Buffer.from('two')]],
    [at('b'), Buffer.from('three')],
  ] as const;
  const [full, misplaced] = [at('c'), at('no', 'c')];
  const wrong = [full, misplaced].map(
    (file) => () => [file, file === full ? failing() : Buffer.from('x')] as const,
  );
  for (const make of wrong)
    for (const order of [
      [...files, make()],
      [make(), ...files],
    ]) {
      await assert.rejects(
        writeTogether(order),
        (error) => error instanceof UserError && /^can't write .*\/c: ENO/.test(error.message),
      );
      assert.deepEqual(readdirSync(folder), []);
    }
  await writeTogether(files);
  assert.deepEqual(readdirSync(folder).toSorted(), ['a', 'b']);
  assert.deepEqual([readFileSync(at('a'), 'utf8'), readFileSync(at('b'), 'utf8')], ['onetwo', 'three']);
});
