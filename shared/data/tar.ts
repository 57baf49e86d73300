import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Entries } from './archive.js';

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 2 ** 20;

/**
 * The regular files of a .tar.gz as they come, by name. Extended headers are passed over: names longer than a ustar header holds don't
 * occur in the archives this reads, all of which are checked against a checksum first.
 *
 * @throws Error when it is no gzip file or ends inside a file
 */
export async function* readTarGz(archive: Readable): Entries {
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  // What fails on either comes out where `unpacked` is read.
  pipeline(archive, unpacked, () => {});
  const take = taker(unpacked);
  try {
    for (;;) {
      const header = await take(BLOCK_BYTES);
      if (header.length < BLOCK_BYTES || header[0] === 0) return;
      const field = (start: number, length: number) =>
        header.toString('latin1', start, start + length).replace(/\0.*$/s, '');
      const size = parseInt(field(124, 12), 8);
      const blocks = size >= 0 ? await take(Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES) : undefined;
      if (!blocks || blocks.length < size) throw new Error('the tar archive is damaged');
      const type = field(156, 1);
      if (type === '0' || type === '') yield [field(0, 100), blocks.subarray(0, size)];
    }
  } finally {
    unpacked.destroy();
  }
}

/** Gives the next n bytes of a stream; fewer where it ends. */
function taker(stream: Readable): (n: number) => Promise<Buffer> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  return async (n) => {
    const parts = [rest];
    let length = rest.length;
    while (length < n) {
      const { done, value } = await chunks.next();
      if (done) break;
      parts.push(value);
      length += value.length;
    }
    const all = parts.length === 1 ? rest : Buffer.concat(parts, length);
    rest = all.subarray(n);
    return all.subarray(0, n);
  };
}
