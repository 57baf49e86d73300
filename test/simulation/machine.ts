import type { Line } from './connection.js';
import type { SimulatedProcess } from './process.js';

/** A place where workers run, one after another. */
export class Machine {
  readonly name: string;
  readonly line: Line;
  readonly lanes: number;
  /** Milliseconds of a slice. */
  sliceMs: number;
  /** It shares memory with the coordinator. */
  isWithCoordinator = false;
  /** Its worker; undefined while it has none. */
  worker: Worker | undefined;
  /** Whether it, or its line, is slow for a while. */
  isSlow = false;
  /** Whether frames of it were damaged. */
  damaged = false;
  /** Things that go wrong with it now, and when the last one did. */
  numTroubles = 0;
  #troubledAt = -Infinity;

  constructor(name: string, line: Omit<Line, 'name' | 'blocked'>, lanes: number, sliceMs: number) {
    this.name = name;
    this.line = { name, ...line, blocked: new Set() };
    this.lanes = lanes;
    this.sliceMs = sliceMs;
  }

  /** Something went wrong with it just now, in milliseconds. */
  troubled(now: number): void {
    this.#troubledAt = now;
  }

  /** Infinity while something is. */
  get troubledUntil(): number {
    return this.numTroubles > 0 ? Infinity : this.#troubledAt;
  }
}

export interface Worker {
  readonly machine: Machine;
  readonly process: SimulatedProcess;
  readonly identity: string;
  /** What SIGTERM does. */
  stop: () => void;
}
