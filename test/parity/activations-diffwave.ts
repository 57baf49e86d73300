import { INPUT } from '../../shared/networks/diffwave/parameters.js';
import type { Ops } from '../../shared/networks/ops.js';
import { tf, type Tensor } from '../../shared/networks/tensors.js';
import { firstExample, type Observer, type Parameters } from './activations.js';

/** An audio network's modules, from its convolutions, its embedding and the activations of its time embedding. */
export function observeDiffwave(ops: Ops, { pathOf, get }: Parameters): Observer {
  const read = new Map<string, Tensor>();
  const given = new Map<string, Tensor>();
  const dense: Tensor[] = [];
  const observed: Ops = {
    ...ops,
    dilatedConv: (x, kernel, ...rest) => keep(kernel, x, ops.dilatedConv(x, kernel, ...rest)),
    conv1x1: (x, kernel, bias) => keep(kernel, x, ops.conv1x1(x, kernel, bias)),
    embedClasses: (classes, table, projection) =>
      keep(projection, classes, ops.embedClasses(classes, table, projection)),
    swish: (x) => {
      dense.push(x);
      return ops.swish(x);
    },
  };
  function keep(kernel: Tensor, x: Tensor, y: Tensor): Tensor {
    const layer = pathOf(kernel)!.replace(/\/kernel$/, '');
    read.set(layer, x);
    given.set(layer, y);
    return y;
  }
  return {
    ops: observed,
    outputOf(name) {
      switch (name) {
        case `${INPUT}#0`: {
          const bias = tf.reshape(get(`${INPUT}/emb_x_proj/bias`), [1, -1, 1, 1]);
          const embedded = tf.add(given.get(`${INPUT}/emb_x_proj`)!, bias);
          return firstExample(tf.concat([given.get(`${INPUT}/conv_in`)!, embedded], 1));
        }
        case `${INPUT}#1`:
          return firstExample(dense[1]!);
        case 'res_group':
          return firstExample(read.get('flower_conv')!);
        default:
          return firstExample(given.get(name)!);
      }
    },
  };
}
