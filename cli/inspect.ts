import type { Command } from 'commander';
import { openContainer } from '../shared/compression/container.js';
import { numbered } from '../shared/compression/decompress.js';
import { isPlain } from '../shared/compression/entry.js';
import type { Header } from '../shared/compression/header.js';
import { openSource } from './compressed-file.js';
import { formatTable } from './table.js';

/** What a compressed file tells of one in it. */
interface InspectedFile {
  readonly name: string;
  readonly bytes: number;
  readonly packedBytes: number;
  readonly method: string;
  /** CRC-32C of the original, hex. */
  readonly crc32c: string;
  /** 0 where the model codes none of it. */
  readonly examples: number;
  /** For --only: the number of its first example, or of itself. */
  readonly first: number;
}

/** `ardm inspect`: what is in a compressed file. */
export function register(program: Command): void {
  program
    .command('inspect')
    .description('tell what a compressed file holds, and which model it takes; the model is not needed')
    .argument('<file>', 'a file that ardm compress wrote; - is standard input')
    .option('--json', 'as JSON')
    .action(inspect);
}

async function inspect(file: string, { json }: { readonly json?: boolean }): Promise<void> {
  const source = await openSource(file);
  const { header, entries } = await openContainer(source);
  const overheadBytes = source.offset + 1;
  const files: InspectedFile[] = [];
  let before = source.offset;
  for await (const { placed, first } of numbered(entries)) {
    const { entry } = placed;
    const { name, length: bytes, method, crc } = entry;
    const examples = isPlain(entry) ? 0 : entry.streams.length;
    const packedBytes = source.offset - before;
    before = source.offset;
    const crc32c = crc.toString(16).padStart(8, '0');
    files.push({ name, bytes, packedBytes, method, crc32c, examples, first });
  }
  const { plan, ...rest } = header;
  const total = { bytes: files.reduce((sum, each) => sum + each.bytes, 0), packedBytes: source.offset };
  if (json) {
    const about = { ...rest, ...plan, policy: [...plan.policy] };
    return console.log(JSON.stringify({ ...about, overheadBytes, ...total, files }, undefined, 2));
  }
  console.log(describe(header));
  const share = total.bytes > 0 ? `, ${((100 * total.packedBytes) / total.bytes).toFixed(1)} %` : '';
  console.log(
    `${total.bytes} -> ${total.packedBytes} bytes${share}, ${overheadBytes} of them for all files together`,
  );
  if (files.length > 0) console.log(tableOf(files));
}

const describe = ({ version, model, engine, plan: { policy, seed, batch } }: Header): string =>
  `model ${model}, ${policy.length} calls for each batch of ${batch} examples, orders of seed ${seed}; ` +
  `written by ardm ${version}, ${engine.kind === 'exact' ? 'exact everywhere' : `fast, on ${engine.fingerprint}`}`;

function tableOf(files: readonly InspectedFile[]): string {
  const cells = (of: (file: InspectedFile) => string | number) => files.map((file) => String(of(file)));
  return formatTable([
    { name: 'examples', cells: cells(({ first, examples }) => rangeOf(first, examples)) },
    { name: 'bytes', cells: cells(({ bytes }) => bytes) },
    { name: 'packed', cells: cells(({ packedBytes }) => packedBytes) },
    { name: 'by', cells: cells(({ method }) => method) },
    { name: 'file', cells: cells(({ name }) => name) },
  ]);
}

const rangeOf = (first: number, count: number): string =>
  count > 1 ? `${first}-${first + count - 1}` : String(first);
