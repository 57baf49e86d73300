/** Whether every number is finite. In four sums at once, for each addition waits for the one before it. */
export function areFinite(numbers: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const { length } = numbers;
  const whole = length - (length % 4);
  for (let i = 0; i < whole; i += 4) {
    // Zeros, unless a number is infinite or none.
    a += numbers[i]! * 0;
    b += numbers[i + 1]! * 0;
    c += numbers[i + 2]! * 0;
    d += numbers[i + 3]! * 0;
  }
  for (let i = whole; i < length; i++) a += numbers[i]! * 0;
  return a + b + c + d === 0;
}
