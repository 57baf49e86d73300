import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseYaml } from '../../shared/config/yaml.js';
import { UsageError } from '../../shared/errors.js';

function refusal(text: string): string {
  try {
    parseYaml(text, 'x.yaml');
  } catch (error) {
    assert.ok(error instanceof UsageError, `${error}`);
    return error.message;
  }
  assert.fail(`accepted ${JSON.stringify(text)}`);
}

test('every error of the text is told with its line and column', () => {
  const told: [text: string, message: string][] = [
    ['a: 1\na: 2', 'x.yaml:2:1: this key stands here for the second time'],
    ['a:\n  b: 1\n c: 2', 'x.yaml:3:1: All mapping items must start at the same column'],
    ['a: "x', 'x.yaml:1:6: Missing closing "quote'],
    ['\ta: 1', 'x.yaml:1:1: Tabs are not allowed as indentation'],
    ['a: b: c', 'x.yaml:1:4: Nested mappings are not allowed in compact mappings'],
    ['a: 1\n---\nb: 2', 'x.yaml:2:1: a second document begins: a config is one'],
    ['? [a]\n: 1', 'x.yaml:1:3: a key must be a word'],
    [
      'a: 1\na: 2\nb: !!binary x',
      'x.yaml:2:1: this key stands here for the second time\nx.yaml:3:13: leave out the tag tag:yaml.org,2002:binary: a config has plain values',
    ],
  ];
  for (const [text, message] of told) assert.equal(refusal(text), message);
});

test('tags, anchors, aliases and merge keys are refused where they stand', () => {
  assert.equal(refusal('a: !js x'), 'x.yaml:1:8: leave out the tag !js: a config has plain values');
  assert.match(refusal('a: &b 1'), /^x\.yaml:1:7: write values out instead of the anchor &b$/);
  assert.match(refusal('a: *b'), /^x\.yaml:1:4: write the value out instead of the alias \*b$/m);
  assert.match(
    refusal('a: &b {c: 1}\nd:\n  <<: *b'),
    /^x\.yaml:3:3: write the keys out instead of the merge key <<$/m,
  );
  assert.equal(parseYaml('a: 2001-01-01', 'x').value instanceof Object, true);
});

test('a bomb of aliases or of nesting is refused before it goes off', () => {
  const laughs = [
    'a0: &a0 [x, x]',
    ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
  ];
  assert.match(refusal(laughs.join('\n')), /^x\.yaml:1:9: write values out/);
  for (const bomb of ['['.repeat(60_000), '{a: '.repeat(15_000), '- '.repeat(30_000), '? '.repeat(30_000)])
    assert.match(refusal(bomb), /^x\.yaml:1:\d+: is nested more than 16 deep$/);
  const lines = Array.from({ length: 20 }, (_, depth) => `${' '.repeat(depth)}a:`);
  assert.equal(refusal(lines.join('\n')), 'x.yaml:18:18: is nested more than 16 deep');
});

test('at most 20 errors are told at once', () => {
  const lines = refusal('a: 1\n'.repeat(40)).split('\n');
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), '... and 19 more');
});

test('plain values are read as YAML 1.2 reads them', () => {
  const { value } = parseYaml('a: 1e-3\nb: yes\nc: 0x10\nd: [1, "1"]\ne:\n__proto__: 1', 'x');
  assert.deepEqual(Object.entries(value as object), [
    ['a', 0.001],
    ['b', 'yes'],
    ['c', 16],
    ['d', [1, '1']],
    ['e', null],
    ['__proto__', 1],
  ]);
});

test('keys and values are found again by their path', () => {
  const source = parseYaml('a:\n  b: [1,\n      22]\r\n  c:\nd: 4', 'x');
  assert.equal(source.locate(['a', 'b'], 'key'), 'x:2:3');
  assert.equal(source.locate(['a', 'b'], 'value'), 'x:2:6');
  assert.equal(source.locate(['a', 'b', 1], 'value'), 'x:3:7');
  assert.equal(source.locate(['a', 'c'], 'value'), 'x:4:5');
  assert.equal(source.locate(['d'], 'key'), 'x:5:1');
  assert.equal(source.locate([], 'value'), 'x:1:1');
  for (const path of [['e'], ['d', 'e'], ['a', 'b', 2]])
    assert.equal(source.locate(path, 'value'), undefined);
  assert.equal(parseYaml('', 'x').locate([], 'value'), undefined);
});

test('whatever the text, it is read or refused with a place', () => {
  const pieces = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '&a ',
    '*a',
    '!t ',
    '? ',
    '|',
    '>',
    '#',
    '%',
    '---\n',
    '<<',
    '\t',
    '\\x',
    '0',
    '.inf',
    'é',
    '\u0000',
  );
  const text = fc
    .array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 40 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (yaml) => {
      try {
        JSON.stringify(parseYaml(yaml, 'x.yaml').value);
      } catch (error) {
        assert.ok(error instanceof UsageError, `${error instanceof Error ? error.stack : error}`);
        for (const line of error.message.split('\n')) assert.match(line, /^(x\.yaml:\d+:\d+: |\.\.\. and )/);
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});
