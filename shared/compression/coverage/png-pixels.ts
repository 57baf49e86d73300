const OPAQUE = 255;

/** What the pixels of a PNG file hold. */
export interface PixelFormat {
  /** 1 for grey, 3 for RGB. */
  readonly colors: number;
  readonly hasAlpha: boolean;
}

/** Bytes of a pixel. */
export const pixelBytesOf = ({ colors, hasAlpha }: PixelFormat): number => colors + (hasAlpha ? 1 : 0);

/** An image of the model's channels and its alpha. */
export interface Planes {
  readonly values: Uint8Array;
  /** Undefined where there is none, or where all pixels are opaque. */
  readonly alpha: Uint8Array | undefined;
}

/**
 * Splits pixels into the channels that a model codes and alpha. An RGB image that is grey has one channel for a model of grey images.
 *
 * @param channels of the model, 1 or 3
 * @returns undefined where the model does not have the image's colors
 */
export function splitPixels(pixels: Uint8Array, format: PixelFormat, channels: number): Planes | undefined {
  const { colors, hasAlpha } = format;
  if (colors < channels) return undefined;
  const pixelBytes = pixelBytesOf(format);
  const values = new Uint8Array((pixels.length / pixelBytes) * channels);
  for (let i = 0; i < pixels.length / pixelBytes; i++) {
    const pixel = i * pixelBytes;
    for (let c = 0; c < channels; c++) values[i * channels + c] = pixels[pixel + c]!;
    for (let c = channels; c < colors; c++) if (pixels[pixel + c] !== pixels[pixel]) return undefined;
  }
  if (!hasAlpha) return { values, alpha: undefined };
  const alpha = pixels.filter((_, at) => at % pixelBytes === colors);
  return { values, alpha: alpha.every((value) => value === OPAQUE) ? undefined : alpha };
}

/** The inverse of `splitPixels`. */
export function joinPixels({ values, alpha }: Planes, format: PixelFormat, channels: number): Uint8Array {
  const pixelBytes = pixelBytesOf(format);
  const pixels = new Uint8Array((values.length / channels) * pixelBytes).fill(OPAQUE);
  for (let i = 0; i < values.length / channels; i++) {
    const pixel = i * pixelBytes;
    for (let c = 0; c < format.colors; c++)
      pixels[pixel + c] = values[i * channels + Math.min(c, channels - 1)]!;
    if (alpha) pixels[pixel + format.colors] = alpha[i]!;
  }
  return pixels;
}
