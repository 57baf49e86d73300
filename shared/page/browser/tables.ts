import { make } from './dom.js';

/** A table's rows, anew. A cell is text or a node; the first of a row names it. */
export function fillRows(
  body: HTMLElement,
  rows: readonly (readonly (Node | string)[])[],
  empty: string,
): void {
  const columns = body.closest('table')!.querySelectorAll('thead th').length;
  if (rows.length === 0) {
    body.replaceChildren(make('tr', {}, make('td', { colspan: String(columns), class: 'empty' }, empty)));
    return;
  }
  body.replaceChildren(
    ...rows.map((row) =>
      make(
        'tr',
        {},
        ...row.map((cell, i) => (i === 0 ? make('th', { scope: 'row' }, cell) : make('td', {}, cell))),
      ),
    ),
  );
}
