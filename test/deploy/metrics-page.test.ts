import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Registry } from 'prom-client';
import { packageRoot } from '../../shared/package.js';
import { registries } from './registries.js';

test('docs/metrics.md has every metric as it is', { skip: process.platform !== 'linux' }, async () => {
  const script = pathToFileURL(path.join(packageRoot, 'scripts/metrics-page.mjs')).href;
  const { metricsPage } = (await import(script)) as {
    metricsPage(coordinator: Registry, worker: Registry): string;
  };
  const page = readFileSync(path.join(packageRoot, 'docs/metrics.md'), 'utf8');
  assert.equal(
    page,
    metricsPage(registries.coordinator, registries.worker),
    'run node scripts/metrics-page.mjs',
  );
});
