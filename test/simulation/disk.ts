import type { Random } from '../../shared/random/philox.js';

export interface FileNode {
  readonly kind: 'file';
  /** As processes see it. */
  bytes: Buffer;
  /** What outlives the machine. */
  synced: Buffer;
  /** Whether it was read since it was written last. */
  wasRead: boolean;
  /** A byte of it was changed behind everyone's back. */
  isRotten: boolean;
  writtenBy: object | undefined;
}

export interface FolderNode {
  readonly kind: 'folder';
  readonly entries: Map<string, Node>;
  /** Names that outlive the machine. */
  readonly synced: Map<string, Node>;
  /** What was done to the names since. */
  readonly undone: ((names: Map<string, Node>) => void)[];
  writtenBy: object | undefined;
}

export type Node = FileNode | FolderNode;

export const newFile = (writtenBy: object): FileNode => ({
  kind: 'file',
  bytes: Buffer.alloc(0),
  synced: Buffer.alloc(0),
  wasRead: false,
  isRotten: false,
  writtenBy,
});

export const newFolder = (writtenBy: object | undefined): FolderNode => ({
  kind: 'folder',
  entries: new Map(),
  synced: new Map(),
  undone: [],
  writtenBy,
});

/**
 * A disk as file systems promise it and no better: contents and names are safe only once they were synced; without, a power failure leaves any
 * beginning of what was appended, and of the changes of a folder.
 */
export class Disk {
  root = newFolder(undefined);
  isFull = false;

  /** Changes a folder's names. */
  change(folder: FolderNode, change: (names: Map<string, Node>) => void): void {
    change(folder.entries);
    folder.undone.push(change);
  }

  /** What was written before is safe. */
  sync(node: Node): void {
    if (node.kind === 'file') node.synced = node.bytes;
    else for (const change of node.undone.splice(0)) change(node.synced);
  }

  append(file: FileNode, bytes: Uint8Array, writtenBy: object): void {
    file.bytes = Buffer.concat([file.bytes, bytes]);
    file.wasRead = false;
    file.writtenBy = writtenBy;
  }

  /** The machine fails, and comes back with what was safe and some of the rest. Returns how many files it tore. */
  fail(random: Random): number {
    let numTorn = 0;
    const after = (node: Node): Node => {
      if (node.kind === 'folder') {
        const kept = random.below(node.undone.length + 1);
        for (const change of node.undone.slice(0, kept)) change(node.synced);
        const folder = newFolder(node.writtenBy);
        for (const [name, child] of node.synced) {
          const survivor = after(child);
          folder.entries.set(name, survivor);
          folder.synced.set(name, survivor);
        }
        return folder;
      }
      const { bytes, synced } = node;
      const survived = synced.length + random.below(bytes.length - synced.length + 1);
      const torn = Buffer.from(bytes.subarray(0, survived));
      if (survived < bytes.length) numTorn++;
      return { ...node, bytes: torn, synced: torn };
    };
    this.root = after(this.root) as FolderNode;
    return numTorn;
  }

  /** What is at a path, names separated by /. */
  find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      node = node?.kind === 'folder' ? node.entries.get(name) : undefined;
    }
    return node;
  }
}
