import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError, UserError } from './errors.js';

export interface HttpServer {
  /** `http://127.0.0.1:9464`, with the port that was taken. */
  readonly url: string;
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Answers GET and HEAD on `HOST:PORT`; port 0 takes any free one. What an answer throws is an answer of 500.
 *
 * @param what is served, for the message where it can't be
 * @throws UsageError where `address` is none, UserError where it cannot be had
 */
export async function serveReadOnly(address: string, what: string, answer: Answer): Promise<HttpServer> {
  const { host, port } = parseAddress(address);
  const server = createServer(
    { maxHeaderSize: 8192, connectionsCheckingInterval: 5_000 },
    (request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        return send(response, 405, 'only GET and HEAD\n');
      }
      answer(request, response).catch((error: Error) => {
        if (response.headersSent) response.destroy();
        else send(response, 500, `${error.message}\n`);
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
      `cannot serve ${what} on ${address}: ${(error as Error).message}. ` +
        'Another run may be serving there; choose another address with --http HOST:PORT, or port 0 for any free port',
      undefined,
      { cause: error },
    );
  }
  // A connection that cannot be accepted (too many open files) costs an answer, not the run.
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

/** Node sends no body in answer to HEAD. */
export function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
