import { readFile } from 'node:fs/promises';
import { readMaskImage } from '../shared/data/masked-image.js';
import { UserError, UsageError } from '../shared/errors.js';
import { drawOrder } from '../shared/method/orders.js';
import type { Mask } from '../shared/model/complete.js';
import { PURPOSE, stream } from '../shared/random/philox.js';
import type { SampleKind } from '../shared/render/samples.js';
import type { CompletionInput } from './completion-input.js';

/** At most one of them; none where the input itself says what is unknown. */
export interface MaskFlags {
  readonly mask?: string;
  /** Share of the input's beginning that is known. */
  readonly known?: number;
  /** Share that is known, at random places. */
  readonly randomKnown?: number;
  readonly unknown?: readonly string[];
}

/** What `--unknown` counts: rows of an image, characters, samples. */
interface Units {
  readonly name: string;
  /** That the input has. */
  readonly count: number;
  /** That ranges may reach up to. */
  readonly most: number;
  /** Places that each has. */
  readonly places: number;
  /** Units a second, where there are seconds. */
  readonly rate?: number;
}

/**
 * Which places of the input are known, as the flags or itself say. A text's mask may be longer than the text, as `--unknown` may reach up
 * to the model's length: what the text lacks is unknown.
 *
 * @throws UsageError where both say it, neither does, or a range does not fit
 */
export async function maskOf(
  { names, length, mask: own }: CompletionInput,
  flags: MaskFlags,
  kind: SampleKind,
  seed: number,
): Promise<Mask> {
  const { mask: file, known, randomKnown, unknown } = flags;
  const units = unitsOf(length, kind);
  if (own) {
    if ([file, known, randomKnown, unknown].every((flag) => flag === undefined)) return own;
    const how = kind.medium.kind === 'image' ? 'transparent pixels' : 'gaps';
    throw new UsageError(
      `${names[0]} says itself what is unknown, by ${how}: leave out the flag that says it again`,
    );
  }
  if (file !== undefined) return readMask(file, kind);
  if (known !== undefined) {
    const numKnown = Math.round(known * units.count) * units.places;
    return new Uint8Array(length).fill(1, 0, numKnown);
  }
  if (randomKnown !== undefined) {
    const numKnown = Math.round(randomKnown * length);
    return Uint8Array.from(drawOrder(stream(seed, PURPOSE.order), length), (rank) =>
      rank < numKnown ? 1 : 0,
    );
  }
  if (unknown === undefined)
    throw new UsageError(`nothing is unknown in ${names[0]}: ${ADVICE[kind.medium.kind]}`);
  const ranges = unknown.map((range) => rangeOf(range, units));
  const end = Math.max(units.count, ...ranges.map(([, end]) => end));
  const mask = new Uint8Array(end * units.places).fill(1, 0, length);
  for (const [begin, end] of ranges) mask.fill(0, begin * units.places, end * units.places);
  return mask;
}

const ADVICE = {
  image: 'say what is with --known 0.5, --unknown 14:28 (rows) or --mask FILE, or make pixels transparent',
  text: 'mark gaps by _ in text8 or by what --gap says, or give --known 0.5 or --unknown 10:20 (characters)',
  audio: 'say what is with --known 0.5 or --unknown 0.2s:0.5s',
} as const;

function unitsOf(length: number, { medium, shape, numContext }: SampleKind): Units {
  switch (medium.kind) {
    case 'image':
      return { name: 'rows', count: shape[0], most: shape[0], places: shape[1] };
    case 'text':
      return { name: 'characters', count: length, most: shape[1] - numContext, places: 1 };
    case 'audio':
      return { name: 'samples', count: length, most: length, places: 1, rate: medium.sampleRate };
  }
}

const RANGE = /^(\d+(?:\.\d+)?s?)?:(\d+(?:\.\d+)?s?)?$/;

function rangeOf(range: string, { name, count, most, rate }: Units): [begin: number, end: number] {
  const [, first, last] = RANGE.exec(range) ?? [];
  const unitsAt = (text: string): number => {
    if (!text.endsWith('s')) return Number(text);
    return rate === undefined ? NaN : Math.round(Number(text.slice(0, -1)) * rate);
  };
  const [begin, end] = [first === undefined ? 0 : unitsAt(first), last === undefined ? count : unitsAt(last)];
  const isRange = range !== ':' && RANGE.test(range) && Number.isInteger(begin) && Number.isInteger(end);
  if (!isRange || begin >= end || end > most)
    throw new UsageError(
      `--unknown ${range} is no range: give ${name} as begin:end, from 0 to ${most}, where the end is the first one known again` +
        (rate === undefined ? '' : `; or seconds, as in 0.2s:0.5s, up to ${most / rate}s`),
    );
  return [begin, end];
}

async function readMask(file: string, { medium, shape }: SampleKind): Promise<Mask> {
  if (medium.kind !== 'image')
    throw new UsageError('--mask is for images: give --unknown or --known for what this model makes');
  const bytes = await readFile(file).catch((error: Error) => {
    throw new UserError(`can't read ${file}: ${error.message}`, undefined, { cause: error });
  });
  const { height, width, white } = readMaskImage(bytes, file);
  if (height !== shape[0] || width !== shape[1])
    throw new UserError(
      `the mask ${file} is ${height}x${width}, but the model's images are ${shape[0]}x${shape[1]} (height x width)`,
    );
  return white;
}
