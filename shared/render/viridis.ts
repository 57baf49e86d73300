/** The map viridis at ten even steps; between them it is straight enough that a line is not told apart. */
const POINTS = [
  0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725,
];

/** The colour of a value from 0 (dark) to 1 (bright) on a map whose lightness grows evenly: [red, green, blue], 0 to 255. */
export function viridis(value: number): [number, number, number] {
  const place = Math.min(Math.max(value, 0), 1) * (POINTS.length - 1);
  const below = Math.min(Math.floor(place), POINTS.length - 2);
  const mix = (shift: number): number => {
    const from = (POINTS[below]! >> shift) & 255;
    const to = (POINTS[below + 1]! >> shift) & 255;
    return Math.round(from + (to - from) * (place - below));
  };
  return [mix(16), mix(8), mix(0)];
}
