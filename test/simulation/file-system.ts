import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as fs from 'node:fs';
import { newFile, type FileNode, type Node } from './disk.js';
import {
  create,
  fail,
  fileAt,
  makeFolder,
  nodeAt,
  remove,
  rename,
  write,
  type Mounted,
  type Operation,
  type Place,
} from './file-operations.js';

const ROOT = '/simulated-disk/';
const mounts = new Map<string, Mounted>();
let numMounts = 0;

/** Where a process finds its disk: everything in this process that opens files below it gets the simulated ones. */
export function mount(mounted: Mounted): string {
  install();
  const name = String(++numMounts);
  mounts.set(name, mounted);
  return ROOT + name;
}

export function unmount(root: string): void {
  mounts.delete(root.slice(ROOT.length));
  for (const [file, { place }] of opened) if (place.root === root) opened.delete(file);
}

/** Undefined of files of this machine. */
function placeOf(file: unknown): Place | undefined {
  if (typeof file !== 'string' || !file.startsWith(ROOT)) return undefined;
  const [name, ...rest] = file.slice(ROOT.length).split('/');
  return { ...(mounts.get(name!) ?? GONE), root: ROOT + name, path: rest.join('/') };
}

/** What a process sees that is gone itself, and doesn't know. */
const GONE = { process: { alive: false } } as Mounted;

const never = <T>() => new Promise<T>(() => undefined);

/** Does something at once, if its process is alive. */
function perform<T>(place: Place, operation: Operation, act: () => T): T | undefined {
  const { process, before, after } = place;
  if (!process.alive) return undefined;
  before(operation);
  if (!process.alive) return undefined;
  const result = act();
  after(operation);
  return result;
}

/** The same, a while later; never where its process ends before. */
function performLater<T>(place: Place, operation: Operation, act: () => T): Promise<T> {
  const { process, delay } = place;
  if (!process.alive) return never();
  return new Promise((resolve, reject) => {
    process.after(delay(), () => {
      try {
        const result = perform(place, operation, act);
        if (process.alive) resolve(result as T);
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

/** What changes nothing takes no time. */
function look<T>(place: Place, act: () => T): Promise<T> {
  if (!place.process.alive) return never();
  try {
    return Promise.resolve(act());
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/** `mtimeMs`: what a process that is gone wrote is older than this one. */
const statsOf = ({ process }: Place, node: Node) => ({
  size: node.kind === 'file' ? node.bytes.length : 0,
  mtimeMs: node.writtenBy === process ? Date.now() : 0,
  isFile: () => node.kind === 'file',
  isDirectory: () => node.kind === 'folder',
});

class Handle {
  readonly #place: Place;
  readonly #node: Node;

  constructor(place: Place, node: Node) {
    this.#place = place;
    this.#node = node;
  }

  get #file(): FileNode {
    return this.#node.kind === 'file' ? this.#node : fail('EISDIR', -21, 'read', this.#place.path);
  }

  stat() {
    return look(this.#place, () => statsOf(this.#place, this.#node));
  }

  read(into: Uint8Array, offset: number, length: number, position: number) {
    return look(this.#place, () => {
      this.#file.wasRead = true;
      const part = this.#file.bytes.subarray(position, position + length);
      into.set(part, offset);
      return { bytesRead: part.length, buffer: into };
    });
  }

  writeFile(data: string | Uint8Array) {
    const bytes = Buffer.from(data as Uint8Array);
    return look(this.#place, () => {
      if (write(this.#place, this.#file, bytes) < bytes.length)
        fail('ENOSPC', -28, 'write', this.#place.path);
    });
  }

  sync() {
    const { disk, path: file } = this.#place;
    return performLater(this.#place, { kind: 'sync', path: file }, () => disk.sync(this.#node));
  }

  close() {
    return look(this.#place, () => undefined);
  }
}

/** Open files of the synchronous functions: numbers that no system gives. */
const opened = new Map<number, { readonly place: Place; readonly node: Node }>();
const FIRST = -1000;
let numOpened = 0;

const promised = {
  open(place: Place, flags = 'r') {
    if (flags === 'r') return look(place, () => new Handle(place, nodeAt(place, 'open')));
    const operation = { kind: 'create', path: place.path } as const;
    return performLater(place, operation, () => new Handle(place, create(place, flags)));
  },
  mkdir: (place: Place, options?: { recursive?: boolean }) =>
    performLater(place, { kind: 'make', path: place.path }, () =>
      makeFolder(place, options?.recursive ?? false),
    ),
  rename: (place: Place, to: string) => {
    const target = placeOf(to)!;
    return performLater(place, { kind: 'rename', path: place.path, to: target.path }, () =>
      rename(place, target),
    );
  },
  rm: (place: Place, options?: { force?: boolean }) =>
    performLater(place, { kind: 'remove', path: place.path }, () => remove(place, options?.force ?? false)),
  readdir: (place: Place, options?: { withFileTypes?: boolean }) =>
    look(place, () => {
      const node = nodeAt(place, 'scandir');
      if (node.kind === 'file') return fail('ENOTDIR', -20, 'scandir', place.path);
      const names = [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1));
      if (!options?.withFileTypes) return names.map(([name]) => name);
      return names.map(([name, entry]) => ({ name, isDirectory: () => entry.kind === 'folder' }));
    }),
  readFile: (place: Place, encoding?: BufferEncoding) =>
    look(place, () => {
      const file = fileAt(place, 'open');
      file.wasRead = true;
      return encoding ? file.bytes.toString(encoding) : Buffer.from(file.bytes);
    }),
  stat: (place: Place) => look(place, () => statsOf(place, nodeAt(place, 'stat'))),
};

/** Of a process that is gone they do nothing. */
const synchronous = {
  existsSync: (place: Place) => place.disk.find(place.path) !== undefined,
  statSync: (place: Place) => statsOf(place, nodeAt(place, 'stat')),
  readFileSync: (place: Place, encoding: BufferEncoding) => fileAt(place, 'open').bytes.toString(encoding),
  openSync(place: Place, flags = 'r') {
    const operation = { kind: 'create', path: place.path } as const;
    const node =
      flags === 'r' ? nodeAt(place, 'open') : perform(place, operation, () => create(place, flags));
    const file = FIRST - numOpened++;
    opened.set(file, { place, node: node ?? newFile(place.process) });
    return file;
  },
  renameSync(place: Place, to: string) {
    const target = placeOf(to)!;
    perform(place, { kind: 'rename', path: place.path, to: target.path }, () => rename(place, target));
  },
};

const onOpened = {
  writeSync(file: number, data: string | Uint8Array, offset = 0) {
    const bytes = Buffer.from(data as Uint8Array).subarray(offset);
    const { place, node } = opened.get(file) ?? {};
    const written =
      place &&
      perform(place, { kind: 'write', path: place.path }, () => write(place, node as FileNode, bytes));
    return written ?? bytes.length;
  },
  fsyncSync(file: number) {
    const { place, node } = opened.get(file) ?? {};
    if (place && node) perform(place, { kind: 'sync', path: place.path }, () => place.disk.sync(node));
  },
  fdatasyncSync: (file: number) => onOpened.fsyncSync(file),
  closeSync: (file: number) => void opened.delete(file),
};

let installed = false;

/** Puts the simulated functions before those of `node:fs`, for paths and files of simulated disks alone. */
function install(): void {
  if (installed) return;
  installed = true;
  const real = createRequire(import.meta.url)('node:fs') as typeof fs;
  const replace = (owner: object, functions: object, isOurs: (first: unknown) => unknown) => {
    for (const [name, simulated] of Object.entries(functions)) {
      const machine = Reflect.get(owner, name) as (...values: unknown[]) => unknown;
      Reflect.set(owner, name, (first: unknown, ...rest: unknown[]) => {
        const ours = isOurs(first);
        return ours === undefined ? machine.call(owner, first, ...rest) : simulated(ours, ...rest);
      });
    }
  };
  replace(real.promises, promised, placeOf);
  for (const [name, act] of Object.entries(synchronous))
    Reflect.set(synchronous, name, (place: Place, option: never) =>
      place.process.alive ? act(place, option) : undefined,
    );
  replace(real, synchronous, placeOf);
  replace(real, onOpened, (file) => ((file as number) <= FIRST ? file : undefined));
  syncBuiltinESMExports();
}
