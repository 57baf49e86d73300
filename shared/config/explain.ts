import type { z } from 'zod';
import { instead } from './keys.js';
import { nearest } from './nearest.js';
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
    if (issue.code !== 'unrecognized_keys') return [{ path, what: 'value', text: explain(issue) }];
    return issue.keys.map((key) => {
      const unknown = [...path, key];
      return { path: unknown, what: 'key', text: `unknown key; ${instead(unknown)}` };
    });
  });
}

function explain(issue: Issue): string {
  const { input } = issue;
  const needed = need(issue);
  if (input === undefined) return `is missing: it ${needed}`;
  if (input === null) return `has no value: it ${needed}`;
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
