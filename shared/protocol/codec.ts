import { Packr } from 'msgpackr';
import type { z } from 'zod';

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

// Plain maps only: msgpackr's record extension keeps state between messages, which a peer could fill.
const packr = new Packr({ useRecords: false, moreTypes: false, int64AsType: 'number' });

/** The frames to send. */
export function encode(header: object, frames: readonly Uint8Array[] = []): Uint8Array[] {
  return [packr.pack(header), ...frames];
}

/**
 * Checks sizes, then decodes, then checks the header against `schema`.
 * Throws ProtocolError on anything else than a well-formed message.
 */
export function decode<S extends z.ZodType>(schema: S, parts: readonly Uint8Array[]): Message<z.infer<S>> {
  const [head, ...frames] = parts;
  if (head === undefined || parts.length > 1 + MAX_FRAMES) throw new ProtocolError(`${parts.length} frames`);
  if (head.length > MAX_HEADER_BYTES) throw new ProtocolError(`a header of ${head.length} bytes`);
  let value: unknown;
  try {
    value = packr.unpack(head);
  } catch {
    throw new ProtocolError('a header that is not msgpack');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ProtocolError(`a header whose ${issue?.path.join('.') || 'type'} is wrong: ${issue?.message}`);
  }
  return { header: parsed.data, frames };
}
