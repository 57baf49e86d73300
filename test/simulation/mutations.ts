import { checksum } from '../../shared/exchange/buckets.js';
import { encode } from '../../shared/protocol/codec.js';
import type { Disk, FileNode, FolderNode } from './disk.js';
import type { Mutation } from './mutation.js';
import { headerOf, type Parts } from './parts.js';

type Header = Record<string, unknown>;

/** Changes the header of a message, and tells no one. */
function withHeader(parts: Parts, change: (header: Header) => Header | undefined): Parts {
  const changed = change(headerOf(parts) as Header);
  return changed ? encode(changed, parts.slice(1)) : parts;
}

/** A message that nobody heeds. */
const nothing = (isWorker: boolean): Parts =>
  encode(isWorker ? { type: 'alive' } : { type: 'alive', doing: 'nothing' });

function ifThereIsRoom(write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

const isCoordinator = (name: string) => name.startsWith('coordinator');

const checkpointsOf = (disk: Disk) => disk.find('checkpoints') as FolderNode;

/** Every change of this kind must be caught. By the rule that it breaks. */
export const MUTATIONS: Readonly<Record<string, () => Mutation>> = {
  'commits are noted before they are published': () => ({
    journal: (file) => ({
      read: () => file.read(),
      append: (text) => (text.includes('"commit"') ? undefined : file.append(text)),
      replace: (text) => file.replace(text),
    }),
  }),

  'commits are noted before they are published, and not soon after': () => ({
    journal: (file, process) => ({
      read: () => file.read(),
      append: (text) => void process.after(30, () => ifThereIsRoom(() => file.append(text))),
      replace: (text) => file.replace(text),
    }),
  }),

  'a run goes on from the worker that is ahead': () => ({
    received: (parts, { name }) =>
      isCoordinator(name)
        ? withHeader(parts, ({ replica: _, ...header }) => (header.type === 'hello' ? header : undefined))
        : parts,
  }),

  'a step is taken once all its slices are there': () => ({
    averaging: (averaging) => (message) => {
      averaging.take(message);
      if (message.kind !== 'sum' || message.node.level !== 1 || message.node.index !== 0) return;
      averaging.take({
        ...message,
        node: { level: 1, index: 1 },
        buffer: new SharedArrayBuffer(message.buffer.byteLength),
      });
    },
  }),

  'a slice that two workers computed counts once': () => ({
    averaging: (averaging) => (message) => {
      if (message.kind === 'sum' && message.node.level === 0) {
        const values = new Float32Array(message.buffer);
        for (let i = 0; i < values.length; i++) values[i]! *= 2;
      }
      averaging.take(message);
    },
  }),

  'messages of an older term change nothing': () => ({
    received: (parts, process, { oracle, damaged }) => {
      const term = oracle.termOf(process);
      if (term === undefined || damaged.has(parts)) return parts;
      return withHeader(parts, (header) =>
        header.term === undefined || header.type === 'welcome' ? undefined : { ...header, term },
      );
    },
  }),

  'what is damaged is not taken': () => ({
    received: (parts, _, { damaged }) => {
      if (!damaged.has(parts)) return parts;
      try {
        const fix = (header: Header) =>
          header.crc === undefined ? header : { ...header, crc: checksum(parts[1]!) };
        return withHeader(parts, fix);
      } catch {
        return parts;
      }
    },
  }),

  'a replica is whole when its step is applied': () => ({
    lanes: (lanes) =>
      new Proxy(lanes, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== 'function') return value;
          if (name !== 'run') return value.bind(target) as unknown;
          return (...job: Parameters<typeof target.run>) => {
            const result = target.run(...job);
            return job[0] === 'apply' ? Promise.resolve(undefined) : result;
          };
        },
      }),
  }),

  'from the copy of its state on, a newcomer gets every average': () => {
    const loaded = new WeakSet<object>();
    return {
      received: (parts, process) => {
        const { type } = headerOf(parts);
        if (isCoordinator(process.name)) return parts;
        if (type === 'welcome') loaded.delete(process);
        if (type === 'deal') loaded.add(process);
        const isMissed = !loaded.has(process) && (type === 'average' || type === 'commit');
        return isMissed ? nothing(true) : parts;
      },
    };
  },

  'a buffer is used again once everyone has it': () => ({
    averaging: (averaging, post) => {
      let published: SharedArrayBuffer | undefined;
      return (message) => {
        averaging.take(message);
        if (message.kind !== 'sum') return;
        if (published && published !== message.buffer) post({ kind: 'free', buffer: published });
        published = message.buffer;
      };
    },
  }),

  'the committed steps are the position in the data': () => ({
    sharder: (sharder, startStep) =>
      new Proxy(sharder, {
        get: (target, name) =>
          name === 'examples'
            ? (step: number, begin: number, end: number) => target.examples(step - startStep, begin, end)
            : (Reflect.get(target, name, target) as unknown) instanceof Function
              ? (Reflect.get(target, name, target) as (step: number) => unknown).bind(target)
              : (Reflect.get(target, name, target) as unknown),
      }),
  }),

  'who is silent is given up': () => ({
    clock: (clock) => ({ ...clock, now: () => 0 }),
  }),

  'checkpoints are written to the disk itself': () => ({
    operating: (operation, disk) => {
      if (operation.kind === 'sync' && operation.path.endsWith('ema.safetensors'))
        disk.sync = () => undefined;
      else Reflect.deleteProperty(disk, 'sync');
    },
  }),

  'old checkpoints go once the new one is published': () => ({
    operating: (operation, disk) => {
      if (operation.kind !== 'create' || !operation.path.endsWith('manifest.json')) return;
      const folder = checkpointsOf(disk);
      for (const name of [...folder.entries.keys()].filter((entry) => entry.startsWith('step-')))
        disk.change(folder, (names) => names.delete(name));
    },
  }),

  'latest moves once the checkpoint has its name': () => ({
    operated: (operation, disk) => {
      if (operation.kind !== 'sync' || !operation.path.endsWith('manifest.json')) return;
      const pointer = checkpointsOf(disk).entries.get('latest') as FileNode | undefined;
      if (pointer)
        Object.assign(pointer, { bytes: Buffer.from('step-00000099'), synced: Buffer.from('step-00000099') });
    },
  }),

  'a checkpoint is read back before it is published': () => ({
    operating: (operation, disk) => {
      if (operation.kind !== 'rename' || !operation.to.includes('step-')) return;
      for (const file of (disk.find(operation.path) as FolderNode).entries.values())
        (file as FileNode).wasRead = false;
    },
  }),
};
