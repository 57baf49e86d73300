import assert from 'node:assert/strict';
import type { Engine } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { GPU_FORMS } from '../../shared/engine/trace/builder.js';
import type { Noise, Output, Place } from '../../shared/outputs/output.js';
import { PURPOSE, stream, type Random } from '../../shared/random/philox.js';

/** The engines that every output is tried on, by name. */
export async function allEngines(): Promise<Record<string, Engine>> {
  const [provider, threads] = ['cpu', 1] as const;
  return {
    'the plain definition': createReferenceEngine(),
    'the forms of this CPU': await createOnnxruntimeEngine({ provider, threads }),
    'the forms of GPUs': await createOnnxruntimeEngine({ provider, threads, forms: GPU_FORMS }),
  };
}

/** The first variable of a lone location, but for what is told. */
export function placeAt(place: Partial<Place> = {}): Place {
  return { row: 0, channel: 0, location: 0, numLocations: 1, stage: 0, past: 0, ...place };
}

/** Probabilities of the choices of a variable at a lone location. */
export function probabilitiesOf(
  output: Output,
  outputs: ArrayLike<number>,
  place?: Partial<Place>,
): Float64Array {
  const into = new Float64Array(output.numChoices).fill(NaN);
  return output.logProbabilities(Float32Array.from(outputs), placeAt(place), into).map(Math.exp);
}

/** Noise of a seed. */
export function noiseOf(random: Random): Noise {
  return { gumbel: () => random.gumbel(), uniform: () => random.uniform() };
}

/** Made-up network outputs. */
export function madeUpOutputs(length: number, scale: number, seed = 0): Float32Array {
  const random = stream(seed, PURPOSE.sample);
  return Float32Array.from({ length }, () => scale * random.normal());
}

/** Fails unless every number is within a tolerance, or a share where numbers are larger than 1. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length, what);
  Array.from(expected, (value, i) =>
    assert.ok(
      Math.abs(actual[i]! - value) <= tolerance * Math.max(1, Math.abs(value)),
      `${what}: ${actual[i]} is not ${value}, number ${i}`,
    ),
  );
}
