/** A column of a table; a cell may be left empty. */
export interface Column {
  readonly name: string;
  readonly cells: readonly (string | undefined)[];
}

/** Columns side by side under their names, flush right, as lines of text. */
export function formatTable(columns: readonly Column[]): string {
  const widths = columns.map(({ name, cells }) =>
    Math.max(name.length, ...cells.map((cell) => cell?.length ?? 0)),
  );
  const line = (cells: readonly (string | undefined)[]) =>
    cells.map((cell, i) => `  ${(cell ?? '').padStart(widths[i]!)}`).join('');
  const rows = columns[0]!.cells.map((_, row) => line(columns.map(({ cells }) => cells[row])));
  return [line(columns.map(({ name }) => name)), ...rows].map((text) => text.trimEnd()).join('\n');
}

/** The same as a table in Markdown. */
export function formatMarkdown(columns: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const escape = (cell: string | undefined) => (cell ?? '').replaceAll('|', '\\|');
  return [
    line(columns.map(({ name }) => escape(name))),
    line(columns.map(() => '---:')),
    ...columns[0]!.cells.map((_, row) => line(columns.map(({ cells }) => escape(cells[row])))),
  ].join('\n');
}
