import type { Averaging, FromAverager, ToAverager } from '../../coordinator/averaging.js';
import type { JournalFile } from '../../coordinator/journal.js';
import type { Sharder } from '../../coordinator/sharder.js';
import type { Clock } from '../../shared/clock.js';
import type { Disk } from './disk.js';
import type { Operation } from './file-operations.js';
import type { SimulatedLanes } from './lanes.js';
import type { Parts } from './parts.js';
import type { SimulatedProcess } from './process.js';
import type { World } from './world.js';

/** A rule that is broken on purpose: what stands in for a part of the system. */
export interface Mutation {
  journal?(file: JournalFile, process: SimulatedProcess): JournalFile;
  /** Takes the averager's messages in its place. */
  averaging?(averaging: Averaging, post: (message: FromAverager) => void): (message: ToAverager) => void;
  sharder?(sharder: Sharder, startStep: number): Sharder;
  /** The coordinator's. */
  clock?(clock: Clock): Clock;
  lanes?(lanes: SimulatedLanes): SimulatedLanes;
  /** What a process gets in place of a message. */
  received?(parts: Parts, process: SimulatedProcess, world: World): Parts;
  /** Before the disk does something, and after it. */
  operating?(operation: Operation, disk: Disk): void;
  operated?(operation: Operation, disk: Disk): void;
}
