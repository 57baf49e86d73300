import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package.js';
import { atMost, type Findings, type Row, type Target } from './report.js';

export interface CompressionOptions {
  readonly run: string;
  readonly examples: number;
  readonly budgets: readonly number[];
}

interface Estimate {
  readonly bitsPerDim: number;
  readonly standardError: number;
}

/** The part of what `ardm eval --json` tells that is read here. */
interface Evaluation extends Estimate {
  readonly data: string;
  readonly step: number;
  readonly compressed: {
    readonly examples: number;
    readonly codecs: readonly { readonly name: string; readonly coded: Estimate }[];
  };
  readonly budgets: readonly (Estimate & {
    readonly budget: number;
    readonly calls: number;
    readonly coded: Estimate;
  })[];
}

/** Compressors of images that a model is to beat. */
const RIVALS = ['PNG', 'WebP', 'JPEG XL'];

/** What test images take, each coded by itself and decoded again, beside other compressors on the same images. */
export async function benchCompression(
  { run, examples, budgets }: CompressionOptions,
  say: (line: string) => void,
): Promise<Findings> {
  say(`coding ${examples} examples at budgets ${budgets.join(', ')} ...`);
  const ardm = path.join(packageRoot, 'dist', 'cli', 'bin.js');
  const args = [
    ...[ardm, 'eval', run, '--examples', String(examples), '--compress', String(examples)],
    ...['--policy', 'planned', '--json'],
    ...budgets.flatMap((budget) => ['--budget', String(budget)]),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  const found = JSON.parse(stdout) as Evaluation;
  const { codecs } = found.compressed;
  const words = ({ bitsPerDim, standardError }: Estimate) =>
    `${bitsPerDim.toFixed(4)} ± ${standardError.toFixed(4)}`;
  const rows: Row[] = [
    ...found.budgets.map(({ budget, calls, coded, ...bound }) => ({
      compressor: `ardm, budget ${budget}`,
      calls,
      'bits per dimension': words(coded),
      bound: words(bound),
    })),
    ...codecs.map(({ name, coded }) => ({ compressor: name, 'bits per dimension': words(coded) })),
  ];
  const best = Math.min(...found.budgets.map(({ coded }) => coded.bitsPerDim));
  const targets: Target[] = RIVALS.map((rival) => {
    const other = codecs.find(({ name }) => name === rival);
    return atMost(`bits, of ${rival}'s`, 1, other && best / other.coded.bitsPerDim);
  });
  return {
    method: [
      `${found.compressed.examples} test examples of ${found.data}, by step ${found.step} of ${run}. Each is a stream of its own, decoded again and compared; standard errors over examples.`,
      'Others as small as each can, headers and all: PNG the best of its filters, cwebp -z 9, cjxl -e 9, xz -9e, zstd -22, brotli 11.',
    ],
    rows,
    targets,
    notes: [],
  };
}
