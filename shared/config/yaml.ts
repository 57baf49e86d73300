import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Parser, visit } from 'yaml';
import type { CST, Document, Node, YAMLError } from 'yaml';
import { problemsError } from './problems.js';

/** Deeper than any config: parsing recurses. */
const MAX_DEPTH = 16;

export type Path = readonly (string | number)[];

/** Plain data read from YAML, and where each piece of it stood. */
export interface YamlSource {
  readonly value: unknown;
  /** `NAME:LINE:COLUMN` of the key or the value at a path; undefined where the text has no such path. */
  locate(path: Path, what: 'key' | 'value'): string | undefined;
}

/**
 * Parses YAML 1.2 as plain data: one document, keys given once, no tags, anchors, aliases or merge keys. Time and memory
 * are bounded by the length of the text, which the caller bounds.
 *
 * @param name stands before the line in errors: the file
 * @throws UsageError with every error and its place
 */
export function parseYaml(text: string, name: string): YamlSource {
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const deep = tooDeep([...new Parser(lines.addNewLine).parse(text)]);
  if (deep !== undefined)
    throw problemsError([{ place: place(deep), text: `is nested more than ${MAX_DEPTH} deep` }]);

  const document = parseDocument(text, {
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: 'error',
  });
  const problems = [
    ...document.errors.map((error) => ({ place: place(error.pos[0]), text: explain(error) })),
    ...unwanted(document).map(([offset, text]) => ({ place: place(offset), text })),
  ];
  if (problems.length > 0) throw problemsError(problems);
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    locate: (path, what) => {
      const offset = offsetOf(document, path, what);
      return offset === undefined ? undefined : place(offset);
    },
  };
}

/** Where nesting passes the limit, found without recursion. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const stack: [token: CST.Token | null | undefined, depth: number][] = tokens.map((token) => [token, 0]);
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [token, depth] = next;
    if (!token) continue;
    if (depth > MAX_DEPTH) return token.offset;
    if (token.type === 'document') stack.push([token.value, depth]);
    if ('items' in token) {
      for (const { key, value } of token.items) stack.push([key, depth + 1], [value, depth + 1]);
    }
  }
  return undefined;
}

function explain({ code, message }: YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here for the second time';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins: a config is one';
  if (code === 'NON_STRING_KEY') return 'a key must be a word';
  return message;
}

/** What YAML allows and a config has no use for. */
function unwanted(document: Document.Parsed): [offset: number, text: string][] {
  const found: [number, string][] = [];
  visit(document, {
    Node: (_, node) => {
      const offset = (node as Node).range?.[0] ?? 0;
      if (isAlias(node)) found.push([offset, `write the value out instead of the alias *${node.source}`]);
      else if (node.anchor) found.push([offset, `write values out instead of the anchor &${node.anchor}`]);
      else if (node.tag) found.push([offset, `leave out the tag ${node.tag}: a config has plain values`]);
    },
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '<<')
        found.push([key.range?.[0] ?? 0, 'write the keys out instead of the merge key <<']);
    },
  });
  return found;
}

function offsetOf(document: Document.Parsed, path: Path, what: 'key' | 'value'): number | undefined {
  let node: unknown = document.contents;
  let key: Node | undefined;
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === segment);
      if (!pair) return undefined;
      [key, node] = [pair.key as Node, pair.value];
    } else if (isSeq(node)) node = key = node.items[Number(segment)] as Node | undefined;
    else return undefined;
  }
  return ((what === 'key' ? key : undefined) ?? (node as Node | null) ?? key)?.range?.[0];
}
