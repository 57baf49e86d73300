import { countParameters, type Initializer, type ParameterSpec } from '../networks/network.js';
import { PURPOSE, stream, type Random } from '../random/philox.js';

/** Standard deviation of a standard normal that is cut off at -2 and 2. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

/**
 * Fresh parameters, flat in the order of `specs` (section 5: the defaults of Flax; layers that the original starts at zero
 * are zero). Each tensor is a function of (seed, its index).
 */
export function initializeParameters(
  specs: readonly ParameterSpec[],
  seed: number,
  into: Float32Array,
): void {
  let offset = 0;
  specs.forEach((spec, index) => {
    const size = countParameters([spec]);
    fill(spec.init, stream(seed, PURPOSE.initial, index), into.subarray(offset, offset + size));
    offset += size;
  });
}

function fill(init: Initializer, random: Random, tensor: Float32Array): void {
  switch (init.kind) {
    case 'zeros':
      tensor.fill(0);
      return;
    case 'ones':
      tensor.fill(1);
      return;
    case 'normal':
      for (let i = 0; i < tensor.length; i++) tensor[i] = init.std * random.normal();
      return;
    case 'uniform':
      for (let i = 0; i < tensor.length; i++) tensor[i] = init.limit * (2 * random.uniform() - 1);
      return;
    case 'truncatedNormal': {
      const scale = Math.sqrt(init.variance) / TRUNCATED_DEVIATION;
      for (let i = 0; i < tensor.length; i++) tensor[i] = scale * truncatedNormal(random);
    }
  }
}

function truncatedNormal(random: Random): number {
  for (;;) {
    const value = random.normal();
    if (Math.abs(value) <= 2) return value;
  }
}
