import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { send } from '../http.js';
import { loadAssets, type Asset } from './assets.js';
import type { RunFolder } from './run-folder.js';
import { isSampleName } from './sample-files.js';
import { Stream } from './stream.js';

const REFRESH_MS = 2_000;
const JSON_TYPE = 'application/json; charset=utf-8';
const SAMPLE_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
  '.wav': 'audio/wav',
};

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};
/** An SVG brings its own style, and may do no more. */
const SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** The page over some runs, and what it asks for. Reads only. */
export class Page {
  readonly #runs: readonly RunFolder[];
  readonly #assets: ReadonlyMap<string, Asset> = loadAssets();
  readonly #stream: Stream;
  readonly #timer: NodeJS.Timeout;
  readonly #opened: Promise<unknown>;

  /** @param keepsUp also while nobody looks: for the speed of workers, and the roll-up */
  constructor(runs: readonly RunFolder[], keepsUp: boolean) {
    this.#runs = runs;
    this.#stream = new Stream(runs);
    this.#opened = Promise.all(runs.map((run) => run.refresh()));
    this.#timer = setInterval(() => {
      if (keepsUp || this.#stream.numReaders > 0) void this.#refresh();
    }, REFRESH_MS).unref();
  }

  /** Answers what is the page's; false where it is not. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = request.url!.split('?', 1)[0]!;
    const asset = this.#assets.get(url);
    if (asset) return this.#asset(request, response, asset);
    if (!url.startsWith('/api/')) return false;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.setHeader('cache-control', 'no-store');
    await this.#opened;
    return this.#api(request, response, url.slice('/api/'.length).split('/'));
  }

  /** Tells everyone how it ended, and lets them go. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#stream.numReaders > 0) await this.#refresh();
    this.#stream.close();
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.refresh()));
    this.#stream.tell(Date.now());
  }

  #asset({ headers }: IncomingMessage, response: ServerResponse, { bytes, type, etag }: Asset): true {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.setHeader('etag', etag);
    response.setHeader('cache-control', 'no-cache');
    if (headers['if-none-match'] === etag) response.writeHead(304).end();
    else send(response, 200, bytes, type);
    return true;
  }

  async #api(
    request: IncomingMessage,
    response: ServerResponse,
    [kind, id, part, name, ...rest]: readonly string[],
  ): Promise<boolean> {
    if (rest.length > 0) return false;
    if (kind === 'stream' && id === undefined) {
      if (request.method === 'HEAD') send(response, 200, '', 'text/event-stream');
      else if (!this.#stream.open(request, response)) send(response, 503, 'too many pages are open\n');
      return true;
    }
    if (kind === 'status' && id === undefined) {
      const statuses = await Promise.all(this.#runs.map((run) => run.status()));
      send(response, 200, JSON.stringify(statuses), JSON_TYPE);
      return true;
    }
    if (kind !== 'runs') return false;
    if (id === undefined) {
      const views = await Promise.all(this.#runs.map((run) => run.view()));
      send(response, 200, JSON.stringify(views), JSON_TYPE);
      return true;
    }
    const run = this.#runs.find((each) => each.id === id);
    if (!run) return false;
    if (part === undefined) {
      send(response, 200, JSON.stringify(await run.view()), JSON_TYPE);
      return true;
    }
    if (part === 'samples' && name !== undefined && isSampleName(name))
      return sample(request, response, run, name);
    if (name !== undefined || (part !== 'components.svg' && part !== 'components.json')) return false;
    const components = await run.components();
    if (!components) return false;
    if (part === 'components.json') send(response, 200, JSON.stringify(components.view), JSON_TYPE);
    else {
      response.setHeader('content-security-policy', SVG_POLICY);
      send(response, 200, components.svg, 'image/svg+xml');
    }
    return true;
  }
}

async function sample(
  request: IncomingMessage,
  response: ServerResponse,
  { samplesFolder }: RunFolder,
  name: string,
): Promise<boolean> {
  const file = path.join(samplesFolder, name);
  // A link may lead out of the folder.
  const there = await lstat(file).catch(() => undefined);
  if (!there?.isFile()) return false;
  const [begin, end] = rangeOf(request.headers.range, there.size);
  const isPart = begin > 0 || end < there.size;
  response.writeHead(isPart ? 206 : 200, {
    'content-type': SAMPLE_TYPES[path.extname(name)]!,
    'content-length': end - begin,
    'accept-ranges': 'bytes',
    ...(isPart && { 'content-range': `bytes ${begin}-${end - 1}/${there.size}` }),
  });
  if (request.method === 'HEAD' || end === begin) response.end();
  else
    await pipeline(createReadStream(file, { start: begin, end: end - 1 }), response).catch(() => undefined);
  return true;
}

/** What a player asks for when it seeks: one range of bytes [begin, end); the whole where it is none that makes sense. */
function rangeOf(range: string | undefined, size: number): [begin: number, end: number] {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(range ?? '') ?? [];
  const begin = Number(first);
  const end = last === '' || last === undefined ? size : Math.min(size, Number(last) + 1);
  return first === undefined || begin >= end ? [0, size] : [begin, end];
}
