import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { send, serveReadOnly, type HttpServer } from '../shared/http.js';
import type { Page } from '../shared/page/page.js';

export type { HttpServer };

const INDEX = `ardm coordinator

/          the live page
/metrics   for Prometheus
/healthz   answers while the coordinator's event loop turns
`;

/**
 * Serves /metrics, /healthz and the live page on `HOST:PORT`; port 0 takes any free one.
 *
 * @throws UsageError where `address` is none, UserError where it cannot be had
 */
export function serveHttp(address: string, registry: Registry, page?: Page): Promise<HttpServer> {
  return serveReadOnly(address, 'the page and metrics', (request, response) =>
    answer(request, response, registry, page),
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  registry: Registry,
  page: Page | undefined,
): Promise<void> {
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics':
      return send(response, 200, await registry.metrics(), registry.contentType);
    case '/healthz':
      return send(response, 200, 'ok\n');
  }
  if (!(await page?.answer(request, response))) send(response, 404, `not found; there is\n\n${INDEX}`);
}
