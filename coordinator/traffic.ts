import { messageBytes } from '../shared/protocol/codec.js';

type Direction = 'in' | 'out';

/** Message bytes since the last `take`, by the message's type. */
export class Traffic {
  #bytes: Record<Direction, Record<string, number>> = { in: {}, out: {} };

  count(direction: Direction, type: string, parts: readonly Uint8Array[]): void {
    this.#bytes[direction][type] = (this.#bytes[direction][type] ?? 0) + messageBytes(parts);
  }

  take(): { bytesIn: number; bytesOut: number; bytesByType: Record<Direction, Record<string, number>> } {
    const bytesByType = this.#bytes;
    this.#bytes = { in: {}, out: {} };
    const total = (direction: Direction) => Object.values(bytesByType[direction]).reduce((a, b) => a + b, 0);
    return { bytesIn: total('in'), bytesOut: total('out'), bytesByType };
  }
}
