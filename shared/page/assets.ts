import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../package.js';

export interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const OWN = path.join(packageRoot, 'shared', 'page', 'assets');
/** Modules import one another by these names, so they lie as the build left them. */
const BUILT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = [
  'words.js',
  'page/views.js',
  ...[
    'main',
    'charts',
    'smooth',
    'dom',
    'overview',
    'workers',
    'phases',
    'samples',
    'frames',
    'tables',
    'links',
  ].map((name) => `page/browser/${name}.js`),
];

/** All that the page loads, by its path: read once, so that an update of the package can't mix two versions. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  const uplot = path.dirname(createRequire(import.meta.url).resolve('uplot/package.json'));
  const files: [string, string, string][] = [
    ['/', path.join(OWN, 'index.html'), 'text/html; charset=utf-8'],
    ['/assets/page.css', path.join(OWN, 'page.css'), STYLE],
    ['/assets/icon.svg', path.join(OWN, 'icon.svg'), 'image/svg+xml'],
    ['/assets/uplot.css', path.join(uplot, 'dist', 'uPlot.min.css'), STYLE],
    ['/assets/uplot.js', path.join(uplot, 'dist', 'uPlot.iife.min.js'), SCRIPT],
    ...MODULES.map((name): [string, string, string] => [`/assets/${name}`, path.join(BUILT, name), SCRIPT]),
  ];
  return new Map(
    files.map(([url, file, type]) => [url, { bytes: readFileSync(file), type, etag: etagOf(file) }]),
  );
}

function etagOf(file: string): string {
  return `"${createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)}"`;
}
