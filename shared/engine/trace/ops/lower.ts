import { tf, type Tensor } from '../../../networks/tensors.js';
import { toTensor, traceBackend } from '../backend.js';
import type { Value } from '../graph.js';

/**
 * One operation of tensors with a gradient of its own, both recorded by functions of values. `backward` gives the
 * gradient with respect to each input; what it needs of the forward pass it builds again, which records nothing new.
 */
export function lower(
  inputs: readonly Tensor[],
  forward: (...values: Value[]) => Value,
  backward: (dy: Value, ...values: Value[]) => readonly Value[],
): Tensor {
  const values = inputs.map((tensor) => traceBackend.value(tensor));
  const operation = tf.customGrad(() => ({
    value: toTensor(forward(...values)),
    gradFunc: (dy: Tensor) => backward(traceBackend.value(dy), ...values).map(toTensor),
  }));
  return operation(...inputs);
}
