import FFT from 'fft.js';

/** Samples under one window, a power of two. */
export const WINDOW = 512;
/** Samples from one window to the next. */
export const HOP = 128;
/** Frequencies from 0 to half the sample rate, both included. */
export const NUM_BINS = WINDOW / 2 + 1;

const hann = Float64Array.from(
  { length: WINDOW },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW),
);

/**
 * Short-time power spectrum under a Hann window: row i, of NUM_BINS numbers, is centred on sample i * HOP; beyond its ends the clip is
 * silent. A sine of amplitude A in the middle of a bin has the power (A * WINDOW / 4) ** 2 there.
 */
export function powerSpectrum(samples: Int16Array): Float64Array {
  const fft = new FFT(WINDOW);
  const frame = new Float64Array(WINDOW);
  const spectrum = fft.createComplexArray();
  const numFrames = Math.ceil(samples.length / HOP);
  const power = new Float64Array(numFrames * NUM_BINS);
  for (let i = 0; i < numFrames; i++) {
    const start = i * HOP - WINDOW / 2;
    for (let j = 0; j < WINDOW; j++) frame[j] = (samples[start + j] ?? 0) * hann[j]!;
    fft.realTransform(spectrum, frame);
    for (let bin = 0; bin < NUM_BINS; bin++) {
      power[i * NUM_BINS + bin] = spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
    }
  }
  return power;
}
