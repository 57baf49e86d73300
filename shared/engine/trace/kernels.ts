import type { DataType, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs';
import { tf } from '../../networks/tensors.js';
import { EngineError } from '../engine.js';
import { sizeOf } from '../program.js';
import { TRACE, traceBackend as backend } from './backend.js';
import { broadcastShape, type Comparison, type Elementwise, type Reduction } from './builder.js';
import type { Value } from './graph.js';

// TensorFlow.js's own kernels, recorded as the ONNX operations of the same meaning.

type Inputs = Record<string, TensorInfo>;
type Recorder = (inputs: Inputs, attributes: NamedAttrMap) => TensorInfo | TensorInfo[];

function kernel(kernelName: string, record: Recorder): void {
  tf.registerKernel({
    kernelName,
    backendName: TRACE,
    kernelFunc: ({ inputs, attrs }) => record(inputs as Inputs, attrs ?? {}),
  });
}

function elementwise(name: string, op: Elementwise): void {
  kernel(name, ({ a, b }) => {
    const [left, right] = [backend.compact(a!), backend.compact(b!)];
    const vanishes = op === 'Mul' && (left.splat === 0 || right.splat === 0);
    const value = vanishes
      ? backend.builder.scalar(0, left.type as 'float32')
      : backend.builder.elementwise(op, left, right);
    return backend.tensor(value, broadcastShape(a!.shape, b!.shape), a!.dtype);
  });
}
elementwise('Add', 'Add');
elementwise('Sub', 'Sub');
elementwise('Multiply', 'Mul');
elementwise('RealDiv', 'Div');
elementwise('Maximum', 'Max');
elementwise('Minimum', 'Min');
elementwise('Pow', 'Pow');

function comparison(name: string, op: Comparison): void {
  kernel(name, ({ a, b }) => {
    const value = backend.builder.compare(op, backend.compact(a!), backend.compact(b!));
    return backend.tensor(value, broadcastShape(a!.shape, b!.shape));
  });
}
comparison('Greater', 'Greater');
comparison('GreaterEqual', 'GreaterOrEqual');
comparison('Less', 'Less');
comparison('LessEqual', 'LessOrEqual');
comparison('Equal', 'Equal');

kernel('Select', ({ condition, t, e }) => {
  const inputs = [condition!, t!, e!].map((tensor) => backend.value(tensor));
  return backend.tensor(backend.builder.op('Where', inputs, t!.shape, {}, inputs[1]!.type));
});

function unary(name: string, record: (x: Value) => Value): void {
  kernel(name, ({ x }) => backend.tensor(record(backend.compact(x!)), x!.shape, x!.dtype));
}
for (const op of ['Neg', 'Exp', 'Log', 'Sigmoid', 'Sqrt', 'Tanh', 'Relu', 'Abs', 'Sin', 'Cos', 'Floor'])
  unary(op, (x) => backend.builder.unary(op, x));
unary('Identity', (x) => x);
unary('Square', (x) => backend.builder.mul(x, x));
unary('Rsqrt', (x) => backend.builder.unary('Reciprocal', backend.builder.unary('Sqrt', x)));
kernel('Step', ({ x }, { alpha }) => {
  if (alpha !== 0) throw new EngineError('A step whose lower level is not 0 cannot be recorded.');
  const { builder } = backend;
  // GPUs have no signs; on CPUs they stay in blocked layout, which comparisons do not.
  const value = backend.compact(x!);
  const step =
    builder.forms.device === 'gpu'
      ? builder.cast(builder.compare('Greater', value, builder.scalar(0)), 'float32')
      : builder.elementwise('Max', builder.unary('Sign', value), builder.scalar(0));
  return backend.tensor(step, x!.shape, x!.dtype);
});

kernel('Cast', ({ x }, { dtype }) => {
  const type = dtype as 'float32' | 'int32' | 'bool';
  const value = backend.builder.cast(backend.compact(x!), type);
  return backend.tensor(value, x!.shape, type);
});

function filled(name: string, number: number): void {
  kernel(name, ({ x }) => {
    const value = backend.builder.scalar(number, x!.dtype === 'float32' ? 'float32' : 'int32');
    return backend.tensor(value, x!.shape, x!.dtype);
  });
}
filled('ZerosLike', 0);
filled('OnesLike', 1);
kernel('Fill', (_, { shape, value, dtype }) => {
  const type = (dtype as DataType | undefined) === 'int32' ? 'int32' : 'float32';
  return backend.tensor(backend.builder.scalar(value as number, type), shape as number[]);
});

function reshaped(x: TensorInfo, shape: readonly number[]): TensorInfo {
  const compact = backend.compact(x);
  if (compact.shape.length === 0) return backend.tensor(compact, shape, x.dtype);
  return backend.tensor(backend.builder.reshape(backend.value(x), shape), shape, x.dtype);
}
kernel('Reshape', ({ x }, { shape }) =>
  reshaped(x!, tf.util.inferFromImplicitShape(shape as number[], sizeOf(x!.shape))),
);
kernel('ExpandDims', ({ input }, { dim }) => {
  const rank = input!.shape.length;
  const axis = (dim as number) < 0 ? rank + 1 + (dim as number) : (dim as number);
  return reshaped(input!, input!.shape.toSpliced(axis, 0, 1));
});
kernel('Transpose', ({ x }, { perm }) => {
  const value = backend.builder.transpose(backend.value(x!), perm as number[]);
  return backend.tensor(value, value.shape, x!.dtype);
});
kernel('Tile', ({ x }, { reps }) => {
  const shape = x!.shape.map((extent, axis) => extent * (reps as number[])[axis]!);
  const inputs = [backend.value(x!), backend.builder.ints(reps as number[])];
  return backend.tensor(backend.builder.op('Tile', inputs, shape), shape, x!.dtype);
});

kernel('Concat', (inputs, { axis }) => {
  const tensors = Object.values(inputs);
  const [along] = tf.util.parseAxisParam(axis as number, tensors[0]!.shape);
  const value = backend.builder.concat(
    tensors.map((tensor) => backend.value(tensor)),
    along!,
  );
  return backend.tensor(value, value.shape, tensors[0]!.dtype);
});
kernel('SplitV', ({ x }, { numOrSizeSplits, axis }) => {
  const [along] = tf.util.parseAxisParam(axis as number, x!.shape);
  const sizes = tf.backend_util.prepareSplitSize(x as never, numOrSizeSplits as number | number[], along!);
  const parts = backend.builder.split(backend.value(x!), sizes, along!);
  return parts.map((part) => backend.tensor(part, part.shape, x!.dtype));
});
kernel('Slice', ({ x }, { begin, size }) => {
  const [from, extents] = tf.slice_util.parseSliceParams(x as never, begin as number[], size as number[]);
  const value = backend.builder.slice(backend.value(x!), from!, extents!);
  return backend.tensor(value, value.shape, x!.dtype);
});

kernel('PadV2', ({ x }, { paddings, constantValue }) => {
  if (constantValue !== 0) throw new EngineError('Padding with other numbers than 0 cannot be recorded.');
  const [before, after] = [0, 1].map((side) => (paddings as [number, number][]).map((pair) => pair[side]!));
  const value = backend.builder.pad(backend.value(x!), before!, after!);
  return backend.tensor(value, value.shape, x!.dtype);
});

function reduction(name: string, op: Reduction): void {
  // Maximum's attribute has a name of its own.
  kernel(name, ({ x }, { axis, reductionIndices = axis, keepDims }) => {
    const axes = tf.util.parseAxisParam(reductionIndices as number[], x!.shape);
    const value = backend.builder.reduce(op, backend.value(x!), axes, Boolean(keepDims));
    return backend.tensor(value, value.shape, x!.dtype);
  });
}
reduction('Sum', 'ReduceSum');
reduction('Mean', 'ReduceMean');
reduction('Max', 'ReduceMax');
reduction('Min', 'ReduceMin');

kernel('ArgMax', ({ x }, { axis }) => {
  const [along] = tf.util.parseAxisParam(axis as number, x!.shape);
  const inputs = [backend.value(x!)];
  const shape = x!.shape.toSpliced(along!, 1);
  const index = backend.builder.op('ArgMax', inputs, shape, { axis: along!, keepdims: 0 }, 'int64');
  return backend.tensor(backend.builder.cast(index, 'int32'));
});
kernel('Softmax', ({ logits }, { dim }) => {
  const x = backend.value(logits!);
  return backend.tensor(backend.builder.op('Softmax', [x], x.shape, { axis: dim as number }));
});
kernel('LogSoftmax', ({ logits }, { axis }) => {
  const x = backend.value(logits!);
  return backend.tensor(backend.builder.op('LogSoftmax', [x], x.shape, { axis: axis as number }));
});
kernel('BatchMatMul', ({ a, b }, { transposeA, transposeB }) => {
  const options = { transposeA: Boolean(transposeA), transposeB: Boolean(transposeB) };
  return backend.tensor(backend.builder.matMul(backend.value(a!), backend.value(b!), options));
});
