import { UserError } from '../errors.js';
import { decodePng } from './folder.js';

export interface MaskedImage {
  readonly height: number;
  readonly width: number;
  /** 1 (grey) or 3 (RGB). */
  readonly channels: number;
  /** Height, width, channels. */
  readonly pixels: Uint8Array;
  /** 1 where a pixel is opaque, 0 where it is transparent; absent where all are opaque. */
  readonly opaque?: Uint8Array;
}

/**
 * A PNG, 8-bit grey or RGB, with or without an alpha channel.
 *
 * @param file for errors
 * @throws UserError that says what else it is, or which pixel is half transparent
 */
export function readMaskedImage(bytes: Uint8Array, file: string): MaskedImage {
  const png = decodePng(file, bytes);
  const { height, width, depth, data } = png;
  if (depth !== 8) throw new UserError(`${file} has ${depth} bits a channel: convert it to 8`);
  if (png.palette) throw new UserError(`${file} has a palette: convert it to grey or RGB`);
  if (png.transparency)
    throw new UserError(`${file} tells what is transparent by a colour: give it an alpha channel`);
  const hasAlpha = png.channels % 2 === 0;
  const channels = png.channels - (hasAlpha ? 1 : 0);
  if (!hasAlpha) return { height, width, channels, pixels: Uint8Array.from(data) };
  const pixels = new Uint8Array(height * width * channels);
  const alpha = new Uint8Array(height * width);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < channels; c++) pixels[pixel * channels + c] = data[pixel * png.channels + c]!;
    alpha[pixel] = data[(pixel + 1) * png.channels - 1]!;
  }
  const opaque = onOrOff(alpha, width, (value, where) => {
    throw new UserError(`${file}: alpha is ${value} ${where}, and it must be 255 (known) or 0 (unknown)`);
  });
  return { height, width, channels, pixels, ...(opaque.includes(0) && { opaque }) };
}

export interface MaskImage {
  readonly height: number;
  readonly width: number;
  /** 1 where it is white, 0 where it is black. */
  readonly white: Uint8Array;
}

/**
 * A grey PNG of 8 bits or 1 of white and black alone.
 *
 * @param file for errors
 * @throws UserError that says what else it is, or which pixel is neither
 */
export function readMaskImage(bytes: Uint8Array, file: string): MaskImage {
  const png = decodePng(file, bytes);
  const { height, width, depth, channels, data } = png;
  if (channels !== 1 || png.palette || (depth !== 8 && depth !== 1))
    throw new UserError(`${file} is no mask: a mask is a grey PNG of 8 bits or 1, without an alpha channel`);
  const values = depth === 8 ? (data as Uint8Array) : unpackBits(data as Uint8Array, height, width);
  const white = onOrOff(values, width, (value, where) => {
    throw new UserError(
      `${file}: the grey level is ${value} ${where}, and it must be 255 (known) or 0 (unknown)`,
    );
  });
  return { height, width, white };
}

/** A level, 0 or 255, for each bit of rows that begin with a byte. */
function unpackBits(rows: Uint8Array, height: number, width: number): Uint8Array {
  const rowBytes = Math.ceil(width / 8);
  return Uint8Array.from({ length: height * width }, (_, pixel) => {
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    return 255 * ((rows[y * rowBytes + (x >> 3)]! >> (7 - (x & 7))) & 1);
  });
}

/** 1 for each 255 and 0 for each 0; for what is between, `refuse` is told where it is. */
function onOrOff(
  values: Uint8Array,
  width: number,
  refuse: (value: number, where: string) => never,
): Uint8Array {
  return values.map((value, pixel) => {
    if (value === 0 || value === 255) return value / 255;
    return refuse(value, `in row ${Math.floor(pixel / width)}, column ${pixel % width}`);
  });
}
