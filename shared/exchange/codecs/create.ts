import type { CodecConfig } from '../../config/schema.js';
import { Bf16Codec } from './bf16.js';
import type { Codec } from './codec.js';
import { Float32Codec } from './float32.js';
import { Int8Codec } from './int8.js';
import { PowerSgdCodec, type Tensor } from './power-sgd.js';
import { TopKCodec } from './top-k.js';

/**
 * The codec of a config for a gradient of these tensors, which lie one after another.
 *
 * @param bucketBytes of a bucket's values, as float32, at most; one of whole tensors may have more
 */
export function createCodec(config: CodecConfig, tensors: readonly Tensor[], bucketBytes: number): Codec {
  const numElements = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const bucketElements = Math.max(1, Math.floor(bucketBytes / 4));
  switch (config.kind) {
    case 'float32':
      return new Float32Codec(numElements, bucketElements);
    case 'bf16':
      return new Bf16Codec(numElements, bucketElements);
    case 'int8':
      return new Int8Codec(numElements, bucketElements);
    case 'top-k':
      return new TopKCodec(numElements, bucketElements, config.density);
    case 'power-sgd':
      return new PowerSgdCodec(tensors, bucketElements, config.rank);
  }
}
