import assert from 'node:assert/strict';
import test from 'node:test';
import { nameProblem } from '../../shared/compression/file-name.js';

const problems = (names: readonly string[], platform: NodeJS.Platform) =>
  names.filter((name) => nameProblem(name, platform) !== undefined);

test('a name that leads out of its folder, or is none, is refused everywhere', () => {
  const names = [
    '',
    '.',
    '..',
    '../x',
    '/x',
    'a/b',
    'a\\b',
    '..\\x',
    'C:\\x',
    'a\0',
    'a\nb',
    'a\x1b[2J',
    'a\x9b',
  ];
  for (const platform of ['linux', 'darwin', 'win32'] as const)
    assert.deepEqual(problems(names, platform), names);
});

test('a name is refused from 256 bytes on', () => {
  assert.equal(nameProblem('ä'.repeat(127) + 'a'), undefined);
  assert.match(nameProblem('ä'.repeat(128))!, /longer than 255 bytes/);
});

test('what Windows reserves is refused there alone', () => {
  const names = [
    'con',
    'CON.txt',
    'Lpt1.png',
    'nul',
    'com¹',
    'a:b',
    'what?',
    'x.',
    'x ',
    'a"b',
    'a|b',
    'conin$',
  ];
  assert.deepEqual(problems(names, 'win32'), names);
  assert.deepEqual(problems(names, 'linux'), []);
});

test('other names are kept', () => {
  const names = [
    'x',
    'x.png',
    '.hidden',
    '...',
    '..x',
    'a b',
    'дом.txt',
    '数字',
    'console.log',
    'com10',
    '-o',
    '~',
  ];
  for (const platform of ['linux', 'win32'] as const)
    assert.deepEqual(problems(names, platform), platform === 'win32' ? ['...'] : []);
});
