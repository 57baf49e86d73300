import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import type { SharedMemory, SharedSizes } from './shared-memory.js';

// Of memfd_create(2), fcntl(2) and mmap(2).
const CLOSE_ON_EXEC = 1;
const ALLOW_SEALING = 2;
const ADD_SEALS = 1033;
const GET_SEALS = 1034;
const SEAL = { seal: 1, shrink: 2, grow: 4, futureWrite: 16 };
const READ = 1;
const WRITE = 2;
const SHARED = 1;
const FIXED = 16;
const PAGE_BYTES = 65_536;

/**
 * Memory without a name in any folder (memfd), which the system takes back when the last process that has it is gone, however it went.
 * Another process of the same user finds it among the first one's open files. It can't be made smaller, so nobody who has it can be hurt.
 *
 * @returns undefined where the system has no such memory
 */
export function linuxSharedMemory(): SharedMemory | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return { machine: machineId(), create, open };
  } catch {
    return undefined;
  }
}

/** The running system, the namespace in which processes are numbered, and the user. */
function machineId(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const namespace = readlinkSync('/proc/self/ns/pid');
  return createHash('sha256').update(`${boot} ${namespace} ${process.getuid!()}`).digest('hex').slice(0, 32);
}

function create(sizes: SharedSizes) {
  const { memfdCreate, seal } = system();
  const file = memfdCreate('ardm', CLOSE_ON_EXEC | ALLOW_SEALING);
  if (file < 0) throw failure('memfd_create');
  try {
    ftruncateSync(file, sizes.count * sizes.bytes);
    const buffers = mapAll(file, sizes, READ | WRITE);
    const seals = SEAL.seal | SEAL.shrink | SEAL.grow | (sizes.writable ? 0 : SEAL.futureWrite);
    if (seal(file, ADD_SEALS, seals) < 0) throw failure('fcntl');
    let isOpen = true;
    const close = () => {
      if (isOpen) closeSync(file);
      isOpen = false;
    };
    return { path: `/proc/${process.pid}/fd/${file}`, buffers, close };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function open(path: string, sizes: SharedSizes): SharedArrayBuffer[] {
  const file = openSync(path, sizes.writable ? 'r+' : 'r');
  try {
    if (
      (system().seal(file, GET_SEALS, 0) & SEAL.shrink) === 0 ||
      fstatSync(file).size !== sizes.count * sizes.bytes
    )
      throw new Error(`${path} is not the memory that was offered`);
    return mapAll(file, sizes, sizes.writable ? READ | WRITE : READ);
  } finally {
    closeSync(file);
  }
}

function mapAll(file: number, { count, bytes }: SharedSizes, protection: number): SharedArrayBuffer[] {
  return Array.from({ length: count }, (_, nth) => map(file, nth * bytes, bytes, protection));
}

/** A SharedArrayBuffer whose pages are the file's: those that WebAssembly allotted to it are replaced. */
function map(file: number, offset: number, bytes: number, protection: number): SharedArrayBuffer {
  const pages = bytes / PAGE_BYTES;
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const address = koffi.address(new Uint8Array(buffer));
  const mapped = system().mmap(address, bytes, protection, SHARED | FIXED, file, offset);
  if (BigInt(mapped) !== BigInt(address)) throw failure('mmap');
  return buffer as unknown as SharedArrayBuffer;
}

const failure = (call: string) => new Error(`${call} failed with error ${koffi.errno()}`);

let functions: ReturnType<typeof load> | undefined;
const system = () => (functions ??= load());

function load() {
  const library = koffi.load(null);
  return {
    memfdCreate: library.func('int memfd_create(const char *, unsigned int)') as (
      name: string,
      flags: number,
    ) => number,
    seal: library.func('int fcntl(int, int, int)') as (
      file: number,
      command: number,
      seals: number,
    ) => number,
    mmap: library.func('intptr_t mmap(uintptr_t, size_t, int, int, int, int64_t)') as (
      address: bigint,
      bytes: number,
      protection: number,
      flags: number,
      file: number,
      offset: number,
    ) => number | bigint,
  };
}
