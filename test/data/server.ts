import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback for the length of a test; returns its address, with a slash at the end. */
export async function serve(t: TestContext, handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Sends `bytes`, or what a range asks for, and cuts the connection after `cutAfter` bytes. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  cutAfter = Infinity,
): void {
  const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const body = bytes.subarray(offset);
  response.writeHead(offset > 0 ? 206 : 200, {
    'content-length': body.length,
    ...(offset > 0 && { 'content-range': `bytes ${offset}-${bytes.length - 1}/${bytes.length}` }),
  });
  if (body.length <= cutAfter) response.end(body);
  else response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}

/** An address where nobody listens. */
export const NOBODY = 'http://127.0.0.1:2/';
