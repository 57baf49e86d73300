/** numerator / denominator, both whole and at least 0, to the nearest whole number; halves to the even one. */
export function roundHalfEven(numerator: number, denominator: number): number {
  const remainder = numerator % denominator;
  const below = (numerator - remainder) / denominator;
  const up = 2 * remainder > denominator || (2 * remainder === denominator && below % 2 === 1);
  return up ? below + 1 : below;
}
