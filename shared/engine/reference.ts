import { tf } from '../networks/tensors.js';
import { Eager } from './eager.js';
import type { Engine } from './engine.js';

/**
 * TensorFlow.js's plain CPU backend: seconds a convolution, and the numbers that every other engine is checked
 * against.
 */
export function createReferenceEngine(): Engine {
  return {
    name: 'reference',
    provider: 'cpu',
    description: `TensorFlow.js ${tf.version.tfjs}, plain JavaScript`,
    compile: (program) => Promise.resolve(new Eager(program, 'cpu')),
    dispose: () => Promise.resolve(),
  };
}
