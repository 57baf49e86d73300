import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { encode as encodePng } from 'fast-png';
import { zlibSync } from 'fflate';
import { UserError } from '../shared/errors.js';
import { bytesOf, type Classes } from '../shared/method/classes.js';

const run = promisify(execFile);
const brotli = promisify(brotliCompress);

/** An example as other compressors take it. */
export interface CodecInput {
  /** [height, width, channels]: an image of 8 bits where the channels are 1 or 3. */
  readonly shape: readonly [number, number, number];
  readonly isImage: boolean;
}

/** A compressor of single examples that people would use otherwise. */
export interface Codec {
  readonly name: string;
  /** Bytes that the example takes, its header and all. */
  bytesOf(example: Classes): Promise<number>;
}

/** A command that reads one file and writes another; missing where it isn't installed. */
interface Tool {
  readonly name: string;
  readonly command: string;
  readonly forImages: boolean;
  readonly args: (input: string, output: string) => readonly string[];
}

/** Lossless and as small as each can. */
const TOOLS: readonly Tool[] = [
  {
    name: 'WebP',
    command: 'cwebp',
    forImages: true,
    args: (input, output) => ['-quiet', '-lossless', '-exact', '-z', '9', input, '-o', output],
  },
  {
    name: 'JPEG XL',
    command: 'cjxl',
    forImages: true,
    args: (input, output) => [input, output, '-d', '0', '-e', '9', '--quiet'],
  },
  {
    name: 'FLIF',
    command: 'flif',
    forImages: true,
    args: (input, output) => ['-e', '-E100', input, output],
  },
  { name: 'xz', command: 'xz', forImages: false, args: (input) => ['-9e', '--keep', '--stdout', input] },
  {
    name: 'zstd',
    command: 'zstd',
    forImages: false,
    args: (input) => ['--ultra', '-22', '--quiet', '--stdout', input],
  },
];

/** The compressors that are here, those for images where the examples are some, and the names of those that aren't installed. */
export async function findCodecs(input: CodecInput): Promise<{ codecs: Codec[]; missing: string[] }> {
  const tools = TOOLS.filter(({ forImages }) => input.isImage || !forImages);
  const present = await Promise.all(tools.map(({ command }) => isInstalled(command)));
  const toolCodecs = tools.filter((_, i) => present[i]).map((tool) => toolCodec(tool, input));
  const missing = tools.filter((_, i) => !present[i]).map(({ command }) => command);
  return { codecs: [...(input.isImage ? [pngCodec(input)] : []), ...toolCodecs, brotliCodec], missing };
}

async function isInstalled(command: string): Promise<boolean> {
  try {
    await run(command, ['--version']);
    return true;
  } catch (error) {
    // Some know no such flag, and say so.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

const pngCodec = (input: CodecInput): Codec => ({
  name: 'PNG',
  bytesOf: (example) => Promise.resolve(smallestPng(example, input)),
});

const brotliCodec: Codec = {
  name: 'brotli',
  async bytesOf(example) {
    const raw = bytesOf(example);
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: raw.length, [constants.BROTLI_PARAM_QUALITY]: 11 };
    return (await brotli(raw, { params })).length;
  },
};

/** Signature, IHDR and IEND, and what an IDAT takes beside its data. */
const PNG_OVERHEAD = 8 + 25 + 12 + 12;

/** Bytes of the smallest PNG among those of one filter for all rows and of the filter that makes each row's differences smallest. */
function smallestPng(example: Classes, { shape: [height, width, channels] }: CodecInput): number {
  const stride = width * channels;
  const filtered = FILTERS.map((filter) =>
    Uint8Array.from(example, (x, i) => {
      const [isFirst, isTop] = [i % stride < channels, i < stride];
      const [left, up] = [isFirst ? 0 : example[i - channels]!, isTop ? 0 : example[i - stride]!];
      return x - filter(left, up, isFirst || isTop ? 0 : example[i - stride - channels]!);
    }),
  );
  const rows = (kindOf: (row: number) => number) => {
    const all = new Uint8Array(height * (stride + 1));
    for (let row = 0; row < height; row++) {
      const kind = kindOf(row);
      all[row * (stride + 1)] = kind;
      all.set(filtered[kind]!.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
    }
    return zlibSync(all, { level: 9 }).length;
  };
  const sizes = FILTERS.map((_, kind) => filtered[kind]!).map((data) =>
    Array.from({ length: height }, (_, row) =>
      data.subarray(row * stride, (row + 1) * stride).reduce((sum, x) => sum + Math.min(x, 256 - x), 0),
    ),
  );
  const best = (row: number) =>
    FILTERS.reduce((least, _, kind) => (sizes[kind]![row]! < sizes[least]![row]! ? kind : least), 0);
  return PNG_OVERHEAD + Math.min(rows(best), ...FILTERS.map((_, kind) => rows(() => kind)));
}

/** PNG's predictions of a byte from those to its left, above, and above to the left. */
const FILTERS: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    const [a, b, c] = [left, up, corner].map((value) => Math.abs(left + up - corner - value)) as [
      number,
      number,
      number,
    ];
    return a <= b && a <= c ? left : b <= c ? up : corner;
  },
];

/** A PNG for other compressors to read. */
function pngOf(example: Classes, { shape: [height, width, channels] }: CodecInput): Uint8Array {
  return encodePng({ width, height, channels: channels as 1 | 3, data: Uint8Array.from(example) });
}

function toolCodec({ name, command, args, forImages }: Tool, input: CodecInput): Codec {
  return {
    name,
    async bytesOf(example) {
      const folder = await mkdtemp(path.join(tmpdir(), 'ardm-codec-'));
      try {
        const from = path.join(folder, forImages ? 'in.png' : 'in');
        const to = path.join(folder, name === 'JPEG XL' ? 'out.jxl' : 'out.flif');
        await writeFile(from, forImages ? pngOf(example, input) : bytesOf(example));
        const { stdout } = await run(command, args(from, to), { encoding: 'buffer', maxBuffer: 2 ** 30 });
        return forImages ? (await readFile(to)).length : stdout.length;
      } catch (error) {
        throw new UserError(`${command} could not compress an example: ${(error as Error).message}`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
