import type { DataType, TensorInfo } from '@tensorflow/tfjs';
import { tf, type Tensor } from '../../networks/tensors.js';
import { EngineError } from '../engine.js';
import { sameShape, type Builder } from './builder.js';
import type { ElementType, Value } from './graph.js';

type BackendValues = Parameters<InstanceType<typeof tf.KernelBackend>['write']>[0];

/** The name under which TensorFlow.js knows the backend that records. */
export const TRACE = 'trace';

const TYPES: Readonly<Record<string, 'float32' | 'int32' | 'bool'>> = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
};

/**
 * A TensorFlow.js backend that records kernels instead of computing them. A tensor stands for a value of the graph
 * that broadcasts to the tensor's shape: a gradient of ones stays one number until an operation needs all of it.
 */
export class TraceBackend extends tf.KernelBackend {
  #builder: Builder | undefined;
  #values = new WeakMap<object, Value>();

  /** The graph being recorded. */
  get builder(): Builder {
    return this.#builder!;
  }

  /** Records into the builder all that `run` does with TensorFlow.js. */
  record<T>(builder: Builder, run: () => T): T {
    const previous = tf.engine().backendName;
    this.#builder = builder;
    void tf.setBackend(TRACE);
    try {
      return run();
    } finally {
      this.#builder = undefined;
      if (previous && previous !== TRACE) void tf.setBackend(previous);
    }
  }

  /** A tensor for a value, of the value's shape or one that it broadcasts to. */
  tensor(value: Value, shape: readonly number[] = value.shape, dtype?: DataType): TensorInfo {
    const dataId = {};
    this.#values.set(dataId, value);
    return { dataId, shape: [...shape], dtype: dtype ?? tensorType(value.type) };
  }

  /** The value behind a tensor, of the tensor's shape or one that broadcasts to it. */
  compact({ dataId }: TensorInfo): Value {
    return this.#values.get(dataId)!;
  }

  /** The value behind a tensor, of the tensor's shape. */
  value(tensor: TensorInfo): Value {
    const value = this.compact(tensor);
    return sameShape(value.shape, tensor.shape) ? value : this.builder.expand(value, tensor.shape);
  }

  override write(backendValues: BackendValues, shape: number[], dtype: DataType): object {
    const values = backendValues as ArrayLike<number>;
    const type = TYPES[dtype];
    if (!type) throw new EngineError(`Tensors of type ${dtype} cannot be recorded.`);
    const same = values.length > 0 && Array.prototype.every.call(values, (value) => value === values[0]);
    const elements = same ? [values[0]!] : values;
    const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type].from(elements);
    const constant = this.builder.graph.constant(array, type, same ? [] : shape);
    return this.tensor(constant, shape, dtype).dataId as object;
  }

  override readSync(): never {
    throw new EngineError('A program cannot read the values of its tensors while it is recorded.');
  }

  override read(): never {
    return this.readSync();
  }

  override disposeData(): boolean {
    return true;
  }

  override incRef(): void {}

  override refCount(): number {
    return 1;
  }

  override numDataIds(): number {
    return 0;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override dispose(): void {}
}

function tensorType(type: ElementType): DataType {
  return type === 'float32' || type === 'bool' ? type : 'int32';
}

/** The one instance: TensorFlow.js's backends are global. */
export const traceBackend = new TraceBackend();
tf.registerBackend(TRACE, () => traceBackend);

/** Makes a tensor of a recorded value, for code that holds tensors. */
export function toTensor(value: Value): Tensor {
  return tf.engine().makeTensorFromTensorInfo(traceBackend.tensor(value));
}
