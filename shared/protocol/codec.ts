import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { z } from 'zod';
import { isPlain } from './plain.js';

/** A header and its payload frames, as they travel in one multipart message. */
export interface Message<Header> {
  readonly header: Header;
  readonly frames: readonly Uint8Array[];
}

/** Bytes that a header may have: a config travels in one, tensors never do. */
export const MAX_HEADER_BYTES = 1 << 20;
/** Payload frames of one message, at most. */
export const MAX_FRAMES = 2;

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

// Writes plain maps. It would still read records, for which it makes code: `isPlain` comes first.
const packr = new Packr({ useRecords: false, moreTypes: false, int64AsType: 'number' });

const CRC_BYTES = 4;

/** CRC-32 of a header, and of its frames unless it tells theirs: those of buckets are computed once for all who get them. */
function sumOf(packed: Uint8Array, header: unknown, frames: readonly Uint8Array[]): number {
  const tellsCrc = typeof header === 'object' && header !== null && 'crc' in header;
  return tellsCrc ? crc32(packed) : frames.reduce((sum, frame) => crc32(frame, sum), crc32(packed));
}

/** The frames to send: the header ends in a checksum. */
export function encode(header: object, frames: readonly Uint8Array[] = []): Uint8Array[] {
  const packed = packr.pack(header);
  const sum = Buffer.alloc(CRC_BYTES);
  sum.writeUInt32LE(sumOf(packed, header, frames));
  return [Buffer.concat([packed, sum]), ...frames];
}

/**
 * Checks sizes, then decodes, then checks that nothing was damaged on the way, then the header against `schema`.
 * Throws ProtocolError on anything else than a well-formed message.
 */
export function decode<S extends z.ZodType>(schema: S, parts: readonly Uint8Array[]): Message<z.infer<S>> {
  const [head, ...frames] = parts;
  if (head === undefined || parts.length > 1 + MAX_FRAMES) throw new ProtocolError(`${parts.length} frames`);
  if (head.length > MAX_HEADER_BYTES) throw new ProtocolError(`a header of ${head.length} bytes`);
  if (head.length <= CRC_BYTES) throw new ProtocolError(`a header of ${head.length} bytes`);
  const packed = head.subarray(0, -CRC_BYTES);
  if (!isPlain(packed)) throw new ProtocolError('a header that is not plain msgpack');
  let value: unknown;
  try {
    value = packr.unpack(packed);
  } catch {
    throw new ProtocolError('a header that is not msgpack');
  }
  const sum = new DataView(head.buffer, head.byteOffset + packed.length).getUint32(0, true);
  if (sum !== sumOf(packed, value, frames)) throw new ProtocolError('a damaged message');
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ProtocolError(`a header whose ${issue?.path.join('.') || 'type'} is wrong: ${issue?.message}`);
  }
  return { header: parsed.data, frames };
}

/** Of a message's header and frames. */
export function messageBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
