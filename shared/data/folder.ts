import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decode, type DecodedPng } from 'fast-png';
import { UserError } from '../errors.js';
import type { Dataset, Split } from './dataset.js';
import { FilesHash, isTest, namesBelow, unreadable } from './own-files.js';

interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
}

/**
 * A folder of PNG files, searched recursively, as a data set: 8-bit grey or RGB, all of one size, K = 256. Files are taken in the order of
 * their names relative to the folder; names that start with a dot are passed over. A file belongs to the test split if the hash
 * of its relative name says so, whatever other files there are. All pixels are held in memory.
 *
 * @param testFraction the expected share of the test split
 * @throws UserError that names the folder or the file, and what is wrong with it
 */
export async function openFolder(folder: string, testFraction: number): Promise<Dataset> {
  const names = await namesBelow(folder, /\.png$/i);
  if (names.length === 0) throw new UserError(`${folder} has no PNG files`);
  const splits: Record<'train' | 'test', Uint8Array[]> = { train: [], test: [] };
  const files = new FilesHash();
  let first: Image | undefined;
  for (const name of names) {
    const file = path.join(folder, name);
    const bytes = await readFile(file).catch(unreadable(file));
    files.add(name, bytes);
    const image = readPng(file, bytes);
    first ??= image;
    if (describe(image) !== describe(first)) {
      throw new UserError(
        `${file} is ${describe(image)}, but ${path.join(folder, names[0]!)} is ${describe(first)}: all must be alike`,
      );
    }
    splits[isTest(name, testFraction) ? 'test' : 'train'].push(image.pixels);
  }
  for (const [split, images] of Object.entries(splits)) {
    if (images.length === 0) {
      throw new UserError(
        `none of the ${names.length} PNG files of ${folder} fall into the ${split} split: add files or change data.testFraction`,
      );
    }
  }
  const { height, width, channels } = first!;
  return {
    name: path.basename(folder),
    shape: [height, width, channels],
    numClasses: 256,
    train: splitOf(splits.train),
    test: splitOf(splits.test),
    hash: files.digest(),
  };
}

function readPng(file: string, bytes: Uint8Array): Image {
  const png = decodePng(file, bytes);
  const { height, width, depth, data } = png;
  if (depth !== 8) throw new UserError(`${file} has ${depth} bits a channel: convert it to 8`);
  if (png.palette) throw new UserError(`${file} has a palette: convert it to grey or RGB`);
  const hasAlpha = png.channels % 2 === 0;
  const channels = png.channels - (hasAlpha ? 1 : 0);
  if (!hasAlpha && !png.transparency) return { height, width, channels, pixels: data as Uint8Array };
  const pixels = new Uint8Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    if (png.transparency || data[(pixel + 1) * png.channels - 1] !== 255) {
      throw new UserError(`${file} has transparent pixels: flatten it onto a background`);
    }
    for (let c = 0; c < channels; c++) pixels[pixel * channels + c] = data[pixel * png.channels + c]!;
  }
  return { height, width, channels, pixels };
}

/** Throws UserError where the bytes are no PNG file, or a damaged one. */
export function decodePng(file: string, bytes: Uint8Array): DecodedPng {
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new UserError(`${file} is no whole PNG file: ${(error as Error).message}`);
  }
}

const describe = ({ height, width, channels }: Image): string =>
  `${height}x${width} ${channels === 1 ? 'grey' : 'RGB'}`;

const splitOf = (images: readonly Uint8Array[]): Split => ({
  count: images.length,
  read: (index, into) => into.set(images[index]!),
});
