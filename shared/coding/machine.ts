import { assemble } from '../wasm/assembler.js';
import { decodeKernel } from './decode-kernel.js';
import { encodeKernel, fromArrays, fromTables } from './encode-kernel.js';
import type { NumStreams } from './format.js';
import { AT, CHUNK, STATE_BYTES } from './layout.js';

const PAGE_BYTES = 65_536;
const STREAMS: readonly NumStreams[] = [1, 2, 4];

type EncodeKernel = (
  states: number,
  count: number,
  least: number,
  stop: number,
  numClasses: number,
) => number;
type DecodeKernel = (
  count: number,
  end: number,
  numClasses: number,
  buckets: number,
  bucketBits: number,
) => number;

let compiled: WebAssembly.Module | undefined;
const compile = () =>
  (compiled ??= new WebAssembly.Module(
    assemble(
      STREAMS.flatMap((n) => [
        encodeKernel(`encodeArrays${n}`, n, fromArrays),
        encodeKernel(`encodeTables${n}`, n, fromTables),
        decodeKernel(`decode${n}`, n),
      ]),
      'unshared',
    ),
  ));

/** The kernels on a memory of their own, which ends with `tableBytes` of tables (see `AT`). */
export class Machine {
  readonly states: Uint32Array;
  readonly firstWord: Uint32Array;
  readonly bytes: Uint8Array;
  readonly symbols: Uint32Array;
  readonly distributions: Uint32Array;
  readonly classes: Uint16Array;
  readonly tableOfEach: Uint16Array;
  readonly #exports: WebAssembly.Exports;

  constructor(tableBytes = 0) {
    const pages = Math.ceil((AT.tables + tableBytes) / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages });
    const { buffer } = memory;
    this.#exports = new WebAssembly.Instance(compile(), { state: { memory } }).exports;
    this.states = new Uint32Array(buffer, AT.states, (STREAMS.at(-1)! * STATE_BYTES) / 4);
    this.firstWord = new Uint32Array(buffer, AT.firstWord, 1);
    this.bytes = new Uint8Array(buffer);
    this.symbols = new Uint32Array(buffer, AT.symbols, CHUNK);
    this.distributions = new Uint32Array(buffer, AT.distributions, CHUNK);
    this.classes = new Uint16Array(buffer, AT.symbols, CHUNK);
    this.tableOfEach = new Uint16Array(buffer, AT.distributions, CHUNK);
  }

  encoder(source: 'Arrays' | 'Tables', numStreams: NumStreams): EncodeKernel {
    return this.#exports[`encode${source}${numStreams}`] as EncodeKernel;
  }

  decoder(numStreams: NumStreams): DecodeKernel {
    return this.#exports[`decode${numStreams}`] as DecodeKernel;
  }
}
