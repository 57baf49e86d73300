import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { send, serveReadOnly } from '../../shared/http.js';
import { LoggedEvent } from '../../shared/page/logged-event.js';
import { Page } from '../../shared/page/page.js';
import { RunFolder, type LiveRun } from '../../shared/page/run-folder.js';

/** Milliseconds since 1970 of the first event. */
export const BEGIN = Date.parse('2026-01-02T03:04:05Z');

/** A line as the event log has it, a second after another for each step. */
export function line(event: string, step: number, fields: object = {}): string {
  return JSON.stringify({ time: new Date(BEGIN + step * 1000).toISOString(), event, step, ...fields });
}

export const START = {
  ...{ run: 'f00dface-0000', version: '0.1.0', configHash: 'c0', numParameters: 1234 },
  ...{ steps: 100, batch: 8, slices: 4 },
};

export const stepLine = (step: number, bitsPerDim = 1 + 1 / step): string =>
  line('step', step, {
    ...{ bitsPerDim, loss: bitsPerDim, gradientNorm: 2, clipFactor: 1, learningRate: 0.001 },
    ...{
      epoch: step / 50,
      seconds: 0.5,
      members: 1,
      bytesIn: 1,
      bytesOut: 1,
      bytesByType: { in: {}, out: {} },
    },
    phases: { compute: 0.3, upload: 0.1, reduce: 0.05, publish: 0.05 },
  });

export const join = (slot: number): string =>
  line('join', 0, { slot, pid: 4711 + slot, host: 'atlas', device: 'a device', incarnation: slot + 1 });

/** The lines of steps first..last. */
export const stepLines = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => stepLine(first + i));

export const parsed = (text: string): LoggedEvent => LoggedEvent.parse(text)!;

/** Adds lines to the event log of a run's folder, which is made where it isn't there. */
export function log(folder: string, ...lines: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  appendFileSync(path.join(folder, 'events.jsonl'), lines.map((each) => `${each}\n`).join(''));
}

/** Serves the page over run folders until the test ends; returns its address. */
export async function servePage(t: TestContext, folders: readonly string[], live?: LiveRun): Promise<string> {
  const runs = folders.map((folder, i) => new RunFolder(String(i), folder, live));
  const page = new Page(runs, live !== undefined);
  const server = await serveReadOnly('127.0.0.1:0', 'the page', async (request, response) => {
    if (!(await page.answer(request, response))) send(response, 404, 'not found\n');
  });
  t.after(async () => {
    await page.close();
    await server.close();
  });
  return server.url;
}
