import { unpack } from 'msgpackr';

/** A message as it travels: header, then frames. */
export type Parts = readonly Uint8Array[];

/** What is read of any header. */
export interface Header {
  readonly type?: string;
  readonly term?: number;
  readonly step?: number;
  readonly crc?: number;
}

/** The header of a message, whose last four bytes are a checksum; nothing of one that can't be read. */
export function headerOf([head]: Parts): Header {
  try {
    return unpack(head!.subarray(0, -4)) as Header;
  } catch {
    return {};
  }
}
