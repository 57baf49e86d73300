import { configSchema } from '../shared/config/schema.js';
import { Exchange } from '../shared/exchange/exchange.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import { atMost, type Findings, type Row } from './report.js';

export interface CodecsOptions {
  /** Millions of parameters. */
  readonly sizes: readonly number[];
  /** Of which the fastest counts. */
  readonly rounds: number;
}

const CODECS = [
  { kind: 'float32' },
  { kind: 'bf16' },
  { kind: 'int8' },
  { kind: 'int8', rounding: 'feedback' },
  { kind: 'top-k', density: 0.01 },
  { kind: 'power-sgd', rank: 4 },
];

/** The link whose time is compared, in bytes a second each way. */
const GIGABIT = 125e6;
const NODE = { level: 0, index: 0 };

/** What writing a gradient for the wire and reading it takes, and what it saves. */
export async function benchCodecs(
  { sizes, rounds }: CodecsOptions,
  say: (line: string) => void,
): Promise<Findings> {
  const rows: Row[] = [];
  const targets = [];
  for (const millions of sizes) {
    const tensors = tensorsOf(1e6 * millions);
    const values = normals(tensors.length * KERNEL);
    for (const codec of CODECS) {
      const name = Object.values(codec).join(' ');
      say(`${millions} M parameters, ${name} ...`);
      const timed = timesOf(codec, tensors, values, rounds);
      const { bytes, encodeSeconds, decodeSeconds } = timed;
      const saved = 4 * values.length - bytes;
      const seconds = encodeSeconds + decodeSeconds;
      rows.push({
        'M parameters': millions,
        codec: name,
        'bytes a parameter': bytes / values.length,
        'encode GB/s': (4e-9 * values.length) / encodeSeconds,
        'decode GB/s': (4e-9 * values.length) / decodeSeconds,
        'pays below Gbit/s': saved > 0 ? (8e-9 * saved) / seconds : undefined,
      });
      if (saved > 0)
        targets.push(
          atMost(
            `${millions} M, ${name}: encode and decode, share of what 1 Gbit/s saves`,
            1,
            (seconds * GIGABIT) / saved,
          ),
        );
    }
    await Promise.resolve();
  }
  return {
    method: [
      'One thread, normal values in kernels of 3 x 3 x 256 x 256, processor time, the least of the rounds. GB are of float32. Encoding: rounding at the node, or adding and keeping the residual, packing, checksums.',
      "Below the last column's link, sending float32 takes longer than encoding, sending and decoding.",
    ],
    rows,
    targets,
    notes: [],
  };
}

const KERNEL = 9 * 256 * 256;

const tensorsOf = (numParameters: number) =>
  Array.from({ length: Math.max(1, Math.round(numParameters / KERNEL)) }, () => ({ shape: [9, 256, 256] }));

function normals(length: number): Float32Array {
  const random = stream(0, PURPOSE.sample);
  const period = Float32Array.from({ length: 65_537 }, () => 1e-3 * random.normal());
  return Float32Array.from({ length }, (_, i) => period[i % period.length]!);
}

function timesOf(
  codec: object,
  parameters: readonly { shape: number[] }[],
  values: Float32Array,
  rounds: number,
) {
  const { codec: parsed } = configSchema.shape.exchange.parse({ codec });
  const exchange = new Exchange({ codec: parsed, seed: 0, parameters, bucketBytes: 2 ** 21 });
  const residual = new Float32Array(exchange.keepsResiduals ? values.length : 0);
  const residuals = exchange.keepsResiduals ? { residual, next: residual } : undefined;
  const sum = new Float32Array(values.length);
  const into = new Float32Array(values.length);
  const packed = new Uint8Array(sum.buffer);
  const [encoding, decoding]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    sum.set(values);
    const encoded = secondsOf(() => {
      exchange.round(sum, round, NODE);
      exchange.encode(sum, packed, round, NODE, residuals);
    });
    const decoded = secondsOf(() => {
      for (const bucket of exchange.buckets)
        exchange.decode(bucket, packed.subarray(bucket.begin, bucket.begin + bucket.bytes), into);
    });
    encoding.push(encoded);
    decoding.push(decoded);
  }
  return {
    bytes: exchange.bytes,
    encodeSeconds: Math.min(...encoding),
    decodeSeconds: Math.min(...decoding),
  };
}

/** Of the processor: what others do on the machine counts less. */
function secondsOf(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
