import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RunFolder } from './run-folder.js';

const HEARTBEAT_MS = 15_000;
/** A browser asks again after so long. */
const RETRY_MS = 3_000;
const MAX_READERS = 40;
/** A reader that has so much to read still gets nothing more until it has read it. */
const MAX_WAITING_BYTES = 2 ** 18;

interface Reader {
  readonly response: ServerResponse;
  /** By run: the last step it was told of. */
  readonly steps: Map<string, number>;
  told: string;
  toldAt: number;
}

/**
 * Tells pages what changes, as server-sent events. A message has, for each run, what came after the step that the reader was told of
 * last; its id is those steps, so who comes back with Last-Event-ID goes on where they were. Nothing is kept for slow readers: the next
 * message has it all.
 */
export class Stream {
  readonly #runs: readonly RunFolder[];
  readonly #readers = new Set<Reader>();

  constructor(runs: readonly RunFolder[]) {
    this.#runs = runs;
  }

  get numReaders(): number {
    return this.#readers.size;
  }

  /** Answers a request for the stream; false where there are too many. */
  open(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#readers.size >= MAX_READERS) return false;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    const reader = { response, steps: this.#stepsOf(request), told: '', toldAt: Date.now() };
    this.#readers.add(reader);
    response.on('close', () => this.#readers.delete(reader));
    this.#tell(reader, Date.now());
    return true;
  }

  /** Tells everyone what is new; a sign of life where nothing is. */
  tell(now: number): void {
    for (const reader of this.#readers) this.#tell(reader, now);
  }

  close(): void {
    for (const { response } of this.#readers) response.end();
  }

  #tell(reader: Reader, now: number): void {
    const { response, steps } = reader;
    if (response.writableLength > MAX_WAITING_BYTES) return;
    const changes = this.#runs.map((run) => run.change(steps.get(run.id) ?? 0));
    const data = JSON.stringify(changes);
    if (data === reader.told) {
      if (now - reader.toldAt >= HEARTBEAT_MS) response.write(': here\n\n');
      else return;
    } else {
      for (const { id, curve } of changes) steps.set(id, curve.steps.at(-1) ?? steps.get(id) ?? 0);
      const id = changes.map((change) => `${change.id}.${steps.get(change.id)}`).join('-');
      response.write(`event: runs\nid: ${id}\ndata: ${data}\n\n`);
      // Had there been no new point, this is what the next message would be.
      reader.told = JSON.stringify(this.#runs.map((run) => run.change(steps.get(run.id)!)));
    }
    reader.toldAt = now;
  }

  /** From Last-Event-ID, or from `?from=` the first time: `0.1200-1.300`. */
  #stepsOf({ headers, url }: IncomingMessage): Map<string, number> {
    const asked = new URL(url!, 'http://page').searchParams.get('from');
    const text = String(headers['last-event-id'] ?? asked ?? '');
    const pairs = [...text.slice(0, 1000).matchAll(/(\d{1,6})\.(\d{1,12})/g)];
    return new Map(pairs.map(([, id, step]) => [id!, Number(step)]));
  }
}
