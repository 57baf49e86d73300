import { mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.js';
import { damageOf, digestOfFile, onDisk, uniqueSuffix } from './cache.js';
import type { Download } from './source.js';

export interface DownloadOptions {
  /** Takes a line of progress now and then. */
  readonly report?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** An address that sends nothing for so long is given up. */
  readonly stallSeconds?: number;
}

/** A connection that broke after it brought something is tried again, at most so often in all. */
const MAX_ATTEMPTS = 10;
const RETRY_SECONDS = 1;
const REPORT_SECONDS = 2;

/**
 * Downloads a file from the first of its addresses that gives it, checks size and checksum, and moves it to its place or hands it over.
 * What an earlier download of it had left is continued. Processes that download the same file don't disturb each other.
 *
 * @param use what is done with the file, under a name of its own, instead of moving it to `destination`; it takes it away
 * @throws Error with a line for each address that failed
 * @throws UserError when the disk refuses
 * @throws the signal's reason when aborted; what came so far is kept
 */
export async function download(
  file: Download,
  destination: string,
  options: DownloadOptions = {},
  use = (part: string) => onDisk(destination, () => rename(part, destination)),
): Promise<void> {
  await onDisk(destination, () => mkdir(path.dirname(destination), { recursive: true }));
  const part = await claimPart(destination);
  try {
    await fromAddresses(file, part, options);
    await use(part);
  } finally {
    await rename(part, `${destination}.part`).catch(() => {});
  }
}

async function fromAddresses(file: Download, part: string, options: DownloadOptions): Promise<void> {
  const failures: string[] = [];
  for (const address of file.addresses) {
    try {
      return await fromAddress(file, address, part, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      const failure = `${address}: ${reasonOf(error)}`;
      options.report?.(failure);
      failures.push(failure);
    }
  }
  throw new Error(failures.join('\n'));
}

/**
 * A file name for this download alone: `<destination>.part-<host>-<pid>-<n>`, holding what an earlier one had left, be it released as
 * `<destination>.part` or the remains of a process that died.
 */
async function claimPart(destination: string): Promise<string> {
  const mine = `${destination}.part-${uniqueSuffix()}`;
  const folder = path.dirname(destination);
  const prefix = `${path.basename(destination)}.part`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const owner = name.slice(prefix.length);
    if (owner !== '' && !isDead(owner)) continue;
    await rename(path.join(folder, name), mine).catch(() => {});
  }
  return mine;
}

/** Whether `-<host>-<pid>-<n>` names a process of this host that is gone. */
function isDead(owner: string): boolean {
  const here = `-${hostname()}-`;
  if (!owner.startsWith(here)) return false;
  try {
    process.kill(Number.parseInt(owner.slice(here.length)), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

const sizeOf = async (file: string) => (await stat(file).catch(() => undefined))?.size ?? 0;

/** Leaves the whole, checked file in `part`. */
async function fromAddress(
  file: Download,
  address: string,
  part: string,
  options: DownloadOptions,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = await sizeOf(part);
    try {
      if (before < file.bytes) await receive(file, address, part, before, options);
    } catch (error) {
      const retry = attempt < MAX_ATTEMPTS && (await sizeOf(part)) > before;
      if (!retry || error instanceof UserError || options.signal?.aborted) throw error;
      await sleep(RETRY_SECONDS * 1000, undefined, { signal: options.signal });
      continue;
    }
    const damage = damageOf(await digestOfFile(part), file);
    if (damage === undefined) return;
    await rm(part);
    // What was left of an earlier download may be what is wrong; bytes that all come from here are not asked for twice.
    if (before === 0) throw new Error(`what it sends ${damage}`);
  }
}

/** Appends to `part` what is missing from `offset` on; begins anew if the server can't continue. */
async function receive(
  file: Download,
  address: string,
  part: string,
  offset: number,
  { report, signal, stallSeconds = 30 }: DownloadOptions,
): Promise<void> {
  const stall = new AbortController();
  const giveUp = () => stall.abort(new Error(`nothing came for ${stallSeconds} s`));
  const timer = setTimeout(giveUp, stallSeconds * 1000);
  try {
    const response = await fetch(address, {
      // Packed files are wanted as they are.
      headers: { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) },
      signal: AbortSignal.any([stall.signal, ...(signal ? [signal] : [])]),
    });
    const continues = response.headers.get('content-range')?.startsWith(`bytes ${offset}-`) ?? false;
    if (!response.ok || (response.status === 206 && !continues)) {
      await response.body?.cancel();
      throw new Error(`answers ${response.status} ${response.statusText}`);
    }
    let received = response.status === 206 ? offset : 0;
    if (received < offset) await onDisk(part, () => truncate(part, 0));
    let reportedAt = 0;
    const handle = await onDisk(part, () => open(part, 'a'));
    try {
      for await (const chunk of Readable.fromWeb(response.body as ReadableStream)) {
        timer.refresh();
        received += chunk.length;
        if (received > file.bytes) throw new Error(`sends more than ${file.bytes} bytes`);
        await onDisk(part, () => handle.appendFile(chunk));
        if (received === file.bytes || Date.now() - reportedAt > REPORT_SECONDS * 1000) {
          reportedAt = Date.now();
          report?.(`${file.name}: ${megabytes(received)} of ${megabytes(file.bytes)} MB`);
        }
      }
    } finally {
      await handle.close();
    }
    if (received < file.bytes) throw new Error(`ends after ${received} of ${file.bytes} bytes`);
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.message || cause?.code || message;
}
