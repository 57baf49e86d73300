import { encode } from 'fast-png';
import { HOP, NUM_BINS, powerSpectrum } from './spectrum.js';
import { viridis } from './viridis.js';

const RANGE_DECIBELS = 80;
const PIXELS_PER_HOP = 4;
const SPECTRUM_PIXELS = 128;
const BINS_PER_PIXEL = (NUM_BINS - 1) / SPECTRUM_PIXELS;
const WAVE_PIXELS = 41;
/** Around each clip; ticks stand in it. */
const GAP_PIXELS = 8;
const TICK_PIXELS = 4;
const GAP_LINE_PIXELS = 2;
const TICK_HERTZ = 1000;
const TICK_SECONDS = 0.1;
const CLIP_PIXELS = WAVE_PIXELS + SPECTRUM_PIXELS;

const PAPER = [255, 255, 255] as const;
const INK = [70, 70, 70] as const;
const WAVE = [49, 104, 142] as const;
const GAP_LINE = [204, 51, 51] as const;

type Colour = readonly [number, number, number];

/**
 * A PNG of clips below each other: the waveform, scaled to the loudest sample of all clips, above the log-magnitude spectrogram, 80 dB from the
 * loudest of all clips down, 0 Hz at the bottom and half the sample rate at the top. Ticks on the left are 1 kHz apart, ticks below 0.1 s.
 *
 * @param sampleRate Hz
 * @param known samples where it is 0 are marked by a line above each clip
 */
export function encodeSpectrogram(
  clips: readonly Int16Array[],
  sampleRate: number,
  known: Uint8Array = new Uint8Array(),
): Uint8Array {
  const powers = clips.map(powerSpectrum);
  const loudest = Math.max(1, ...powers.map((power) => power.reduce((a, b) => Math.max(a, b), 0)));
  const peak = Math.max(1, ...clips.map((clip) => clip.reduce((a, b) => Math.max(a, Math.abs(b)), 0)));
  const numHops = Math.max(0, ...clips.map((clip) => Math.ceil(clip.length / HOP)));
  const width = numHops * PIXELS_PER_HOP + 2 * GAP_PIXELS;
  const height = clips.length * (CLIP_PIXELS + GAP_PIXELS) + GAP_PIXELS;
  const data = new Uint8Array(width * height * 3).fill(PAPER[0]);
  const paint: Paint = (x, y, colour) => data.set(colour, (y * width + x) * 3);
  clips.forEach((clip, i) => {
    const top = GAP_PIXELS + i * (CLIP_PIXELS + GAP_PIXELS);
    paintWave(paint, clip, peak, top);
    paintSpectrum(paint, powers[i]!, loudest, top + WAVE_PIXELS);
    paintTicks(paint, clip.length, sampleRate, top + WAVE_PIXELS);
    paintGaps(paint, known, top);
  });
  return encode({ width, height, data, channels: 3, depth: 8 });
}

type Paint = (x: number, y: number, colour: Colour) => void;

/** The range of the samples under each column of pixels. */
function paintWave(paint: Paint, clip: Int16Array, peak: number, top: number): void {
  const samplesPerPixel = HOP / PIXELS_PER_HOP;
  const row = (sample: number): number => top + Math.round(((1 - sample / peak) / 2) * (WAVE_PIXELS - 3)) + 1;
  for (let column = 0; column * samplesPerPixel < clip.length; column++) {
    const under = clip.subarray(column * samplesPerPixel, (column + 1) * samplesPerPixel);
    for (let y = row(Math.max(...under)); y <= row(Math.min(...under)); y++)
      paint(GAP_PIXELS + column, y, WAVE);
  }
}

/** Rows of pixels show the loudest of the bins that they stand for. */
function paintSpectrum(paint: Paint, power: Float64Array, loudest: number, top: number): void {
  for (let column = 0; column < (power.length / NUM_BINS) * PIXELS_PER_HOP; column++) {
    const frame = Math.floor(column / PIXELS_PER_HOP) * NUM_BINS;
    for (let row = 0; row < SPECTRUM_PIXELS; row++) {
      const bin = frame + 1 + row * BINS_PER_PIXEL;
      const here = power
        .subarray(row === 0 ? frame : bin, bin + BINS_PER_PIXEL)
        .reduce((a, b) => Math.max(a, b));
      const decibels = 10 * Math.log10(here / loudest);
      paint(GAP_PIXELS + column, top + SPECTRUM_PIXELS - 1 - row, viridis(1 + decibels / RANGE_DECIBELS));
    }
  }
}

/** A line above the columns of pixels under which a sample is unknown. */
function paintGaps(paint: Paint, known: Uint8Array, top: number): void {
  const samplesPerPixel = HOP / PIXELS_PER_HOP;
  for (let column = 0; column * samplesPerPixel < known.length; column++)
    if (known.subarray(column * samplesPerPixel, (column + 1) * samplesPerPixel).includes(0))
      for (let i = 0; i < GAP_LINE_PIXELS; i++) paint(GAP_PIXELS + column, top - 2 - i, GAP_LINE);
}

function paintTicks(paint: Paint, numSamples: number, sampleRate: number, top: number): void {
  const bottom = top + SPECTRUM_PIXELS;
  for (let hertz = 0; hertz <= sampleRate / 2; hertz += TICK_HERTZ) {
    const y = bottom - 1 - Math.round((hertz / (sampleRate / 2)) * (SPECTRUM_PIXELS - 1));
    for (let i = 0; i < TICK_PIXELS; i++) paint(GAP_PIXELS - 2 - i, y, INK);
  }
  for (let tick = 0; tick * TICK_SECONDS * sampleRate < numSamples; tick++) {
    const x = GAP_PIXELS + Math.round((tick * TICK_SECONDS * sampleRate * PIXELS_PER_HOP) / HOP);
    for (let i = 0; i < TICK_PIXELS; i++) paint(x, bottom + 1 + i, INK);
  }
}
