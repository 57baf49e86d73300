import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { DataFile } from '../../shared/data/source.js';

/** What a file of these bytes is to be checked against. */
export function describeFile(name: string, bytes: Uint8Array): DataFile {
  return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** `length` bytes that don't compress and differ from seed to seed. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** A ustar archive, packed. */
export function tarGz(entries: Record<string, Uint8Array>): Uint8Array {
  const blocks = Object.entries(entries).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 'latin1');
    header.write(bytes.length.toString(8).padStart(11, '0'), 124, 'latin1');
    header.write(name.endsWith('/') ? '5' : '0', 156, 'latin1');
    header.write('ustar', 257, 'latin1');
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** An idx3-ubyte file. */
export function idxFile(count: number, height: number, width: number, pixels: Uint8Array): Uint8Array {
  const header = Buffer.alloc(16);
  [0x00000803, count, height, width].forEach((value, i) => header.writeUInt32BE(value, i * 4));
  return Buffer.concat([header, pixels]);
}
