import { createRequire } from 'node:module';
import type * as tfjs from '@tensorflow/tfjs';

/**
 * The one TensorFlow.js of the process. It is loaded through `require` because the package's ES entry hides
 * names from Node, and whole because `tfjs-core` alone registers no gradients.
 */
export const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;

// Silences its advice to install another backend.
tf.env().set('PROD', true);

export type Tensor = tfjs.Tensor;
