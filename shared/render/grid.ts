import { encode } from 'fast-png';

const GAP_PIXELS = 2;
const GAP_GREY = 128;
/** Images are enlarged by the whole number that brings their longer side closest to this without passing it. */
const SHOWN_PIXELS = 96;

/**
 * A PNG of images in rows of `columns`, enlarged so that small ones can be seen, with a grey gap around each.
 *
 * @param images height, width, channel bytes, one image after another; classes 0..K-1 are spread over 0..255
 * @param shape [height, width, channels], 1 or 3 channels
 * @param numClasses K
 */
export function encodeGrid(
  images: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
  numClasses: number,
  columns: number,
): Uint8Array {
  const size = height * width * channels;
  const count = images.length / size;
  const rows = Math.ceil(count / columns);
  const scale = Math.max(1, Math.floor(SHOWN_PIXELS / Math.max(height, width)));
  const cellHeight = height * scale + GAP_PIXELS;
  const cellWidth = width * scale + GAP_PIXELS;
  const gridHeight = rows * cellHeight + GAP_PIXELS;
  const gridWidth = columns * cellWidth + GAP_PIXELS;
  const data = new Uint8ClampedArray(gridHeight * gridWidth * channels).fill(GAP_GREY);
  for (let image = 0; image < count; image++) {
    const top = GAP_PIXELS + Math.floor(image / columns) * cellHeight;
    const left = GAP_PIXELS + (image % columns) * cellWidth;
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = image * size + (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * gridWidth + left + x) * channels;
        for (let c = 0; c < channels; c++) data[to + c] = (images[from + c]! * 255) / (numClasses - 1);
      }
    }
  }
  return encode({ width: gridWidth, height: gridHeight, data, channels, depth: 8 });
}
