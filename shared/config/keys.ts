import { z } from 'zod';
import { nearest } from './nearest.js';
import { configSchema } from './schema.js';

/** A schema without what says that it may be absent. */
function bare(schema: unknown): unknown {
  while (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
    schema = schema.unwrap();
  return schema;
}

function fields(wrapped: unknown, kind?: string): Record<string, unknown> | undefined {
  const schema = bare(wrapped);
  if (schema instanceof z.ZodObject) return schema.shape;
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return undefined;
  const options = schema.options.map((option) => fields(option)!);
  const isKind = ({ kind: literal }: Record<string, unknown>) => (literal as z.ZodLiteral).value === kind;
  return Object.assign({}, ...(kind === undefined ? options : options.filter(isKind))) as Record<
    string,
    unknown
  >;
}

/** The keys that may stand under a path, where there are kinds of them those of one or of all; undefined where a value stands. */
export function keysAt(path: readonly (string | number)[], kind?: string): string[] | undefined {
  let schema: unknown = configSchema;
  for (const segment of path) {
    const group = bare(schema);
    schema = group instanceof z.ZodArray ? group.element : fields(group)?.[segment];
  }
  const shape = fields(schema, kind);
  return shape && Object.keys(shape);
}

/** Dotted paths of all settings and their groups. */
export function allPaths(above: readonly string[] = []): string[] {
  return (keysAt(above) ?? []).flatMap((key) => {
    const path = [...above, key];
    return [path.join('.'), ...allPaths(path)];
  });
}

/**
 * What to write instead of a key that there isn't, as a clause: the nearest one there, the same one elsewhere, or all that there are.
 *
 * @param here the keys that may stand there
 */
export function instead(
  path: readonly (string | number)[],
  here: readonly string[] = keysAt(path.slice(0, -1)) ?? [],
): string {
  const key = String(path.at(-1));
  const near = nearest(key, here);
  if (near !== undefined) return `did you mean ${near}?`;
  const elsewhere = allPaths().filter((known) => nearest(key, [known.split('.').at(-1)!]) !== undefined);
  if (elsewhere.length > 0) return `did you mean ${elsewhere.join(' or ')}?`;
  return `known here: ${here.join(', ')}`;
}
