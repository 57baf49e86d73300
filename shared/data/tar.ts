import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const BLOCK_BYTES = 512;

/**
 * The regular files of a .tar.gz by name, as views on the unpacked archive. Extended headers are passed over: names longer than a
 * ustar header holds don't occur in the archives this reads, all of which are checked against a checksum first.
 *
 * @throws Error when it is no gzip file or ends inside a file
 */
export async function readTarGz(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  const bytes = await promisify(gunzip)(archive);
  const entries = new Map<string, Uint8Array>();
  let offset = 0;
  while (offset + BLOCK_BYTES <= bytes.length && bytes[offset] !== 0) {
    const field = (start: number, length: number) =>
      bytes.toString('latin1', offset + start, offset + start + length).replace(/\0.*$/s, '');
    const size = parseInt(field(124, 12), 8);
    const start = offset + BLOCK_BYTES;
    if (!(size >= 0 && start + size <= bytes.length)) throw new Error('the tar archive is damaged');
    const type = field(156, 1);
    if (type === '0' || type === '') entries.set(field(0, 100), bytes.subarray(start, start + size));
    offset = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return entries;
}
