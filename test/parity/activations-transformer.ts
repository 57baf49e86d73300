import type { NetworkShape } from '../../shared/networks/network.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';
import { blockName, EMBEDDING, LAST_NORM, LOGITS } from '../../shared/networks/transformer/parameters.js';
import type { Observer, Parameters } from './activations.js';

/** A transformer's modules: what a layer gave, and of a block, what the normalisation after it read. */
export function observeTransformer(
  { width: length }: NetworkShape,
  ops: Ops,
  { pathOf }: Parameters,
): Observer {
  const read = new Map<string, Tensor>();
  const given = new Map<string, Tensor>();
  const keep = (parameter: Tensor, x: Tensor, y: Tensor): Tensor => {
    const layer = pathOf(parameter)?.replace(/\/(kernel|scale)$/, '');
    if (layer === undefined) return y;
    read.set(layer, x);
    given.set(layer, y);
    return y;
  };
  const observed: Ops = {
    ...ops,
    embed: (rows, table) => keep(table, rows, ops.embed(rows, table)),
    layerNorm: (x, scale, bias) => keep(scale, x, ops.layerNorm(x, scale, bias)),
    conv1x1: (x, kernel, bias) => keep(kernel, x, ops.conv1x1(x, kernel, bias)),
  };
  /** The locations of the first example are the first of all examples'. */
  const first = (map: Tensor) => tf.slice(map, [0, 0, 0, 0], [1, map.shape[1]!, 1, length]);
  /** What comes into a block, or after the last one. */
  const into = (block: number) => first(read.get(`${blockName(block)}/LayerNorm_0`) ?? read.get(LAST_NORM)!);
  return {
    ops: observed,
    outputOf(name) {
      switch (name) {
        case 'Embed_0': {
          const rows = given.get(EMBEDDING)!;
          const width = rows.shape.at(-1)!;
          return tf.transpose(tf.slice(tf.reshape(rows, [-1, width]), [0, 0], [length, width]));
        }
        case 'add_posemb':
        case 'Dropout_0':
          return into(0);
        case 'encoderdecoder_norm':
          return first(given.get(LAST_NORM)!);
        case 'logitdense':
          return first(given.get(LOGITS)!);
        default:
          return into(1 + Number(/^encoderdecoderblock_(\d+)$/.exec(name)![1]));
      }
    },
  };
}
