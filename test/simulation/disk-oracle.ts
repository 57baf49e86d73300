import { createHash } from 'node:crypto';
import path from 'node:path';
import { FILES } from '../../shared/checkpoint/state.js';
import type { Disk, FileNode, FolderNode, Node } from './disk.js';
import type { Operation } from './file-operations.js';

const FOLDER = 'checkpoints';
const isCheckpoint = (name: string) => /^step-\d+(\.\d+)?$/.test(name);

/** Watches what readers of the run's folder may see: a checkpoint is there whole, on the disk itself and read back, or not at all. */
export class DiskOracle {
  readonly #violated: (what: string) => void;
  numChecks = 0;

  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  before(operation: Operation, disk: Disk): void {
    if (operation.kind !== 'rename') return;
    const { path: from, to } = operation;
    if (isCheckpoint(path.posix.basename(to))) {
      this.#require(disk.find(from), `${to} is published`, { wasRead: true });
      this.#checkLatest(disk, `${to} is published`);
    }
    if (path.posix.basename(to) === 'latest') {
      const pointer = disk.find(from) as FileNode;
      if (!pointer.bytes.equals(pointer.synced)) this.#violated('latest is moved before it is synced');
      const name = pointer.bytes.toString().trim();
      const folder = disk.find(FOLDER) as FolderNode;
      if (folder.entries.get(name) !== folder.synced.get(name))
        this.#violated(`latest names ${name}, whose name is not synced`);
      this.#require(folder.entries.get(name), `latest names ${name}`, { wasRead: true });
    }
    if (isCheckpoint(path.posix.basename(from)))
      this.#checkLatest(disk, `${from} is removed`, path.posix.basename(from));
  }

  after(operation: Operation, disk: Disk): void {
    if (operation.kind === 'remove' && isCheckpoint(path.posix.basename(operation.path)))
      this.#checkLatest(disk, `${operation.path} is removed`);
  }

  /** The machine failed: what is visible now must be whole. */
  failed(disk: Disk): void {
    const folder = disk.find(FOLDER);
    if (folder?.kind !== 'folder') return;
    for (const [name, node] of folder.entries)
      if (isCheckpoint(name)) this.#require(node, `${name} outlived a power failure`);
    this.#checkLatest(disk, 'after a power failure');
  }

  /** `latest` names a good checkpoint, where there is one. */
  #checkLatest(disk: Disk, when: string, leaving?: string): void {
    const pointer = disk.find(`${FOLDER}/latest`);
    if (pointer?.kind !== 'file') {
      if (leaving !== undefined) this.#violated(`${when} before there is a latest`);
      return;
    }
    const name = pointer.bytes.toString().trim();
    if (name === leaving) this.#violated(`${when}, which latest names`);
    this.#require(disk.find(`${FOLDER}/${name}`), `${when}, and latest names ${name}`);
  }

  #require(node: Node | undefined, when: string, { wasRead } = { wasRead: false }): void {
    this.numChecks++;
    const problem = problemOf(node, wasRead);
    if (problem !== undefined) this.#violated(`${when}: ${problem}`);
  }
}

/** Why a checkpoint is not whole and on the disk itself; undefined where it is. */
function problemOf(node: Node | undefined, mustBeRead: boolean): string | undefined {
  if (node?.kind !== 'folder') return 'it is not there';
  if (node.undone.length > 0) return 'its names are not synced';
  const files = [...node.entries].filter((entry): entry is [string, FileNode] => entry[1].kind === 'file');
  const unsynced = files.find(([, { bytes, synced }]) => !bytes.equals(synced));
  if (unsynced) return `${unsynced[0]} is not synced`;
  if (files.some(([, { isRotten }]) => isRotten)) return undefined;
  const unread = files.find(([, { wasRead }]) => mustBeRead && !wasRead);
  if (unread) return `${unread[0]} was not read back`;
  const manifest = node.entries.get('manifest.json');
  if (manifest?.kind !== 'file') return 'it has no manifest';
  let records: Record<string, { sha256: string }>;
  try {
    ({ files: records } = JSON.parse(manifest.bytes.toString()) as { files: typeof records });
  } catch {
    return 'its manifest is damaged';
  }
  for (const name of Object.values(FILES)) {
    const file = node.entries.get(name);
    if (file?.kind !== 'file') return `it lacks ${name}`;
    if (createHash('sha256').update(file.bytes).digest('hex') !== records[name]?.sha256)
      return `${name} is damaged`;
  }
  return undefined;
}
