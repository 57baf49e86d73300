type Direction = 'in' | 'out';

/** Message bytes since the last `take`, by the message's type. */
export class Traffic {
  #bytes: Record<Direction, Record<string, number>> = { in: {}, out: {} };

  count(direction: Direction, type: string, parts: readonly Uint8Array[]): void {
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#bytes[direction][type] = (this.#bytes[direction][type] ?? 0) + bytes;
  }

  take(): { bytesIn: number; bytesOut: number; bytesByType: Record<Direction, Record<string, number>> } {
    const bytesByType = this.#bytes;
    this.#bytes = { in: {}, out: {} };
    const total = (direction: Direction) => Object.values(bytesByType[direction]).reduce((a, b) => a + b, 0);
    return { bytesIn: total('in'), bytesOut: total('out'), bytesByType };
  }
}
