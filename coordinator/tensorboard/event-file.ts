import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { crc32c } from '../../shared/compression/crc32c.js';
import { bytes, double, integer, message } from './protobuf.js';
import type { SummaryValue } from './summary.js';

/** Fields of an Event (tensorboard/compat/proto/event.proto), and START of SessionLog. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const START = 1;

/** A TFRecord: length and data, each with its masked CRC-32C, little-endian. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length + 4);
  bytes.writeBigUInt64LE(BigInt(data.length));
  bytes.writeUInt32LE(masked(crc32c(bytes.subarray(0, 8))), 8);
  bytes.set(data, 12);
  bytes.writeUInt32LE(masked(crc32c(data)), 12 + data.length);
  return bytes;
}

/** A checksum may lie in data of which a checksum is made: it is turned by 15 bits and moved. */
const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/**
 * An event file of TensorBoard, made when there is something to write. It says at its beginning from which step on it starts anew: what earlier files in
 * the folder have of that step and later ones is not shown.
 */
export class EventFile {
  readonly #folder: string;
  #file: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param step committed steps
   * @param time milliseconds since 1970
   * @param anew where a file that is made for this starts anew
   * @throws the system's error
   */
  add(step: number, time: number, values: readonly SummaryValue[], anew: number): void {
    const at = (step: number) => message(double(EVENT.wallTime, time / 1000), integer(EVENT.step, step));
    if (this.#file === undefined) {
      mkdirSync(this.#folder, { recursive: true });
      const seconds = String(Math.floor(time / 1000)).padStart(10, '0');
      const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`;
      this.#file = openSync(path.join(this.#folder, name), 'a');
      this.#write(message(at(anew), bytes(EVENT.fileVersion, 'brain.Event:2')));
      this.#write(message(at(anew), bytes(EVENT.sessionLog, integer(1, START))));
    }
    const summary = message(...values.map((value) => bytes(1, value)));
    this.#write(message(at(step), bytes(EVENT.summary, summary)));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(event: Uint8Array): void {
    appendFileSync(this.#file!, record(event));
  }
}
