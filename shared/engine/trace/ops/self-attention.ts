import type { AttentionKernels, Ops, Sequences } from '../../../networks/ops.js';
import { tf, type Tensor } from '../../../networks/tensors.js';
import type { Builder } from '../builder.js';
import { canBlock } from './blocked.js';
import { conv1x1, conv1x1Input, conv1x1Kernel } from './conv1x1.js';
import { lower } from './lower.js';

/**
 * Dense layers around `attend`. In blocked layout one head after another, if heads are whole blocks of channels: each has its rows of
 * the kernels, its gradients and its share of the sum without a copy, and little enough to do to stay in a core's cache.
 */
export function selfAttention(
  b: Builder,
  attend: Ops['sequenceAttention'],
  x: Tensor,
  { query, key, value, out }: AttentionKernels,
  sequences: Sequences,
): Tensor {
  const { heads, dropout } = sequences;
  const numParts = canBlock(b, x.shape[1]! / heads) ? heads : 1;
  const inParts = (tensor: Tensor, axis = 0) =>
    numParts === 1 ? [tensor] : tf.split(tensor, numParts, axis);
  const kernels = [query, key, value].map((kernel) => inParts(kernel));
  const outs = inParts(out);
  const masks = dropout && inParts(dropout.mask, 1);
  const parts = outs.map((kernel, i) => {
    const [q, k, v] = kernels.map((each) => dense(b, x, each[i]!));
    const mixed = attend(q!, k!, v!, {
      ...sequences,
      heads: heads / numParts,
      ...(masks && { dropout: { ...dropout, mask: masks[i]! } }),
    });
    return denseFrom(b, mixed, kernel);
  });
  return parts.reduce((sum, part) => tf.add(sum, part));
}

/** x [1,C,1,N], kernel [O,C] -> [1,O,1,N]; for many layers of the same x. */
function dense(b: Builder, x: Tensor, kernel: Tensor): Tensor {
  return lower(
    [x, kernel],
    (xs, ks) => conv1x1(b, xs!, ks!),
    (dy, xs, ks) => [conv1x1Input(b, dy, ks!), conv1x1Kernel(b, xs!, dy, 'x')],
  );
}

/** x [1,C,1,N], kernel [C,O] -> [1,O,1,N]; for many layers whose results are summed. */
function denseFrom(b: Builder, x: Tensor, kernel: Tensor): Tensor {
  return lower(
    [x, kernel],
    (xs, ks) => conv1x1Input(b, xs!, ks!),
    (dy, xs, ks) => [conv1x1(b, dy, ks!), conv1x1Kernel(b, dy, xs!, 'x')],
  );
}
