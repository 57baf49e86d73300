import type { Registry } from 'prom-client';
import { send, serveReadOnly, type HttpServer } from '../shared/http.js';

/**
 * Serves a worker's /metrics and /healthz on `HOST:PORT`; port 0 takes any free one.
 *
 * @throws UsageError where `address` is none, UserError where it cannot be had
 */
export function serveMetrics(address: string, registry: Registry): Promise<HttpServer> {
  return serveReadOnly(address, "the worker's metrics", async ({ url }, response) => {
    const path = url?.split('?', 1)[0];
    if (path === '/metrics') send(response, 200, await registry.metrics(), registry.contentType);
    else if (path === '/healthz') send(response, 200, 'ok\n');
    else send(response, 404, 'not found; there is /metrics and /healthz\n');
  });
}
