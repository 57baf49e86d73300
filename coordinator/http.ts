import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { UsageError, UserError } from '../shared/errors.js';

export interface HttpServer {
  /** `http://127.0.0.1:9464`, with the port that was taken. */
  readonly url: string;
  close(): Promise<void>;
}

const INDEX = `ardm coordinator

/metrics   for Prometheus
/healthz   answers while the coordinator's event loop turns
`;

/**
 * Serves /metrics and /healthz on `HOST:PORT`; port 0 takes any free one.
 *
 * @throws UsageError where `address` is none, UserError where it cannot be had
 */
export async function serveHttp(address: string, registry: Registry): Promise<HttpServer> {
  const { host, port } = parseAddress(address);
  const server = createServer(
    { maxHeaderSize: 8192, connectionsCheckingInterval: 5_000 },
    (request, response) => {
      answer(request, response, registry).catch((error: Error) => {
        send(response, 500, `${error.message}\n`);
      });
    },
  );
  // Nothing that asks slowly, reads slowly or stays on holds a connection for long.
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.keepAliveTimeout = 30_000;
  server.timeout = 60_000;
  server.maxConnections = 100;
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new UserError(
      `cannot serve metrics on ${address}: ${(error as Error).message}. ` +
        'Another run may be serving there; choose another address with --http HOST:PORT, or port 0 for any free port',
      undefined,
      { cause: error },
    );
  }
  // A connection that cannot be accepted (too many open files) costs a scrape, not the run.
  server.on('error', () => undefined);
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parseAddress(address: string): { host: string; port: number } {
  const found = /^(?:\[([0-9a-f:.]+)\]|([^:/\s]+)):(\d{1,5})$/i.exec(address);
  const port = Number(found?.[3]);
  if (!found || port > 65535) {
    throw new UsageError(`http address "${address}": expected HOST:PORT, for example 127.0.0.1:9464`);
  }
  return { host: (found[1] ?? found[2])!, port };
}

async function answer(request: IncomingMessage, response: ServerResponse, registry: Registry): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, 'only GET and HEAD\n');
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics':
      return send(response, 200, await registry.metrics(), registry.contentType);
    case '/healthz':
      return send(response, 200, 'ok\n');
    case '/':
      return send(response, 200, INDEX);
    default:
      return send(response, 404, `not found; there is\n\n${INDEX}`);
  }
}

/** Node sends no body in answer to HEAD. */
function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
