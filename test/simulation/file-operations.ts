import path from 'node:path';
import { newFile, newFolder, type Disk, type FileNode, type FolderNode, type Node } from './disk.js';
import type { SimulatedProcess } from './process.js';

/** What a process does to its disk that others could notice. */
export type Operation =
  | { readonly kind: 'create' | 'write' | 'sync' | 'make' | 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string };

export interface Mounted {
  readonly disk: Disk;
  readonly process: SimulatedProcess;
  /** Milliseconds that the next operation takes. */
  readonly delay: () => number;
  /** Before each operation, and after it. */
  readonly before: (operation: Operation) => void;
  /** How many of the bytes that are about to be written get there. */
  readonly written: (path: string, length: number) => number;
  readonly after: (operation: Operation) => void;
}

export interface Place extends Mounted {
  readonly root: string;
  /** Relative to the disk's root. */
  readonly path: string;
}

/** As the system does. */
export function fail(code: string, errno: number, syscall: string, file: string): never {
  throw Object.assign(new Error(`${code}: ${syscall} '${file}'`), { code, errno, syscall });
}

export function nodeAt({ disk, path: file }: Place, syscall: string): Node {
  return disk.find(file) ?? fail('ENOENT', -2, syscall, file);
}

export function fileAt(place: Place, syscall: string): FileNode {
  const node = nodeAt(place, syscall);
  return node.kind === 'file' ? node : fail('EISDIR', -21, syscall, place.path);
}

export function folderOf(place: Place, syscall: string): FolderNode {
  const node = nodeAt({ ...place, path: path.posix.dirname(place.path) }, syscall);
  return node.kind === 'folder' ? node : fail('ENOTDIR', -20, syscall, place.path);
}

export function create(place: Place, flags: string): FileNode {
  const folder = folderOf(place, 'open');
  const name = path.posix.basename(place.path);
  const former = folder.entries.get(name);
  if (former && flags === 'wx') fail('EEXIST', -17, 'open', place.path);
  if (former?.kind === 'file' && flags === 'a') return former;
  if (place.disk.isFull) fail('ENOSPC', -28, 'open', place.path);
  const file = newFile(place.process);
  place.disk.change(folder, (names) => names.set(name, file));
  return file;
}

/** As much as there is room for; returns how much that was. */
export function write(place: Place, file: FileNode, bytes: Uint8Array): number {
  const fits = place.disk.isFull ? bytes.length >> 1 : place.written(place.path, bytes.length);
  if (place.disk.isFull && fits === 0) fail('ENOSPC', -28, 'write', place.path);
  place.disk.append(file, bytes.subarray(0, fits), place.process);
  return fits;
}

export function rename(from: Place, to: Place): void {
  const folder = folderOf(from, 'rename');
  const [old, name] = [path.posix.basename(from.path), path.posix.basename(to.path)];
  const node = folder.entries.get(old) ?? fail('ENOENT', -2, 'rename', from.path);
  from.disk.change(folder, (names) => {
    names.delete(old);
    names.set(name, node);
  });
}

export function remove(place: Place, force: boolean): void {
  const folder = folderOf(place, 'rm');
  const name = path.posix.basename(place.path);
  if (!folder.entries.has(name)) return force ? undefined : fail('ENOENT', -2, 'rm', place.path);
  place.disk.change(folder, (names) => names.delete(name));
}

export function makeFolder(place: Place, recursive: boolean): void {
  const parent = path.posix.dirname(place.path);
  if (recursive && parent !== '.' && !place.disk.find(parent)) makeFolder({ ...place, path: parent }, true);
  const folder = folderOf(place, 'mkdir');
  const name = path.posix.basename(place.path);
  if (folder.entries.has(name)) return recursive ? undefined : fail('EEXIST', -17, 'mkdir', place.path);
  if (place.disk.isFull) fail('ENOSPC', -28, 'mkdir', place.path);
  const made = newFolder(place.process);
  place.disk.change(folder, (names) => names.set(name, made));
}
