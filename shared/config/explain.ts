import type { z } from 'zod';
import { instead, keysAt } from './keys.js';
import { nearest } from './nearest.js';
import { isSecret } from './secrets.js';
import type { Path } from './yaml.js';

/** One thing that is wrong with a setting. */
export interface Fault {
  readonly path: Path;
  /** Of the key or the value. */
  readonly what: 'key' | 'value';
  readonly text: string;
}

const KINDS: Record<string, string> = {
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'a group of keys',
};

type Issue = z.core.$ZodIssue;

/** zod's findings in words. Needs `reportInput`. */
export function explainIssues(issues: readonly Issue[]): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    const path = issue.path as Path;
    return issue.code === 'unrecognized_keys'
      ? explainKeys(issue, path)
      : [{ path, what: 'value', text: explain(valueOf(issue)) }];
  });
}

type UnknownKeys = Extract<Issue, { code: 'unrecognized_keys' }>;

/** Keys of another kind of a group that has kinds are told together: what is wrong is probably the kind. */
function explainKeys({ keys, input }: UnknownKeys, path: Path): Fault[] {
  const { kind } = input as { kind?: string };
  const known = keysAt(path, kind)!;
  const isOfOtherKind = (key: string) => keysAt(path)!.includes(key);
  const faults = keys
    .filter((key) => !isOfOtherKind(key))
    .map((key): Fault => ({
      path: [...path, key],
      what: 'key',
      text: `unknown key; ${instead([...path, key], known)}`,
    }));
  const [first, ...others] = keys.filter(isOfOtherKind);
  if (first === undefined) return faults;
  const nor = others.length === 0 ? '' : ` (nor ${others.length === 1 ? 'is' : 'are'} ${others.join(', ')})`;
  const advice = `to change the kind, give all of ${path.join('.')} anew: {kind: KIND, ...}`;
  const text = `is no key of kind ${kind}${nor}, which has ${known.join(', ')}; ${advice}`;
  return [...faults, { path: [...path, first], what: 'key', text }];
}

/** A wrong kind of a group as the wrong value that it is. */
function valueOf(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return issue;
  const values = (issue as { options?: string[] }).options!;
  const input = (issue.input as Record<string, unknown>)[issue.discriminator];
  return { code: 'invalid_value', values, input, path: issue.path, message: issue.message };
}

function explain(issue: Issue): string {
  const { input } = issue;
  const needed = need(issue);
  if (input === undefined) return `is missing: it ${needed}`;
  if (input === null) return `has no value: it ${needed}`;
  if (isSecret(issue.path as Path)) return needed;
  return `${needed}, not ${show(input)}${hint(issue)}`;
}

function need(issue: Issue): string {
  // The schema's own words.
  if (issue.message.startsWith('must ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'too_small':
      if (issue.origin === 'array') return `must have at least ${issue.minimum} entries`;
      if (issue.origin === 'string') return 'must not be empty';
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `must have at most ${issue.maximum} entries`;
      if (issue.origin === 'string') return `must have at most ${issue.maximum} letters`;
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    default:
      return issue.message;
  }
}

function hint(issue: Issue): string {
  if (issue.code === 'invalid_type' && typeof issue.input === 'string' && /^[\d.]/.test(issue.input))
    return ': write it without quotes or separators';
  if (issue.code !== 'invalid_value' || issue.values.length < 2) return '';
  const near = nearest(String(issue.input), issue.values.map(String));
  return near === undefined ? '' : `; did you mean ${near}?`;
}

function show(input: unknown): string {
  const text = typeof input === 'number' ? String(input) : (JSON.stringify(input) ?? String(input));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
