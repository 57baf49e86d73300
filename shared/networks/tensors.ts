import { createRequire } from 'node:module';
import type * as tfjs from '@tensorflow/tfjs';

let library: typeof tfjs | undefined;

/**
 * The one TensorFlow.js of the process. It is loaded when it is first used, for a model is described and planned without, and through
 * `require` because the package's ES entry hides names from Node, and whole because `tfjs-core` alone registers no gradients.
 */
export const tf = new Proxy({} as typeof tfjs, {
  get: (_, name) => (library ??= load())[name as keyof typeof tfjs],
});

function load(): typeof tfjs {
  const loaded = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tfjs;
  // Silences its advice to install another backend.
  loaded.env().set('PROD', true);
  return loaded;
}

export type Tensor = tfjs.Tensor;
