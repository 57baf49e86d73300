import { plainOps } from '../networks/plain-ops.js';
import { tf, type Tensor } from '../networks/tensors.js';
import type { Call, Executable, InputArray, Program } from './engine.js';
import { checkCall, evaluate, offsetsOf, sizeOf } from './program.js';

/** A program run operation by operation by a backend of TensorFlow.js, in the plain forms. */
export class Eager implements Executable {
  readonly program: Program;
  readonly #backend: string;
  readonly #offsets: readonly number[];

  constructor(program: Program, backend: string) {
    this.program = program;
    this.#backend = backend;
    this.#offsets = offsetsOf(program.parameters);
  }

  async run(call: Call): Promise<void> {
    checkCall(this.program, call);
    await tf.setBackend(this.#backend);
    tf.engine().startScope();
    try {
      this.#run(call);
    } finally {
      tf.engine().endScope();
    }
  }

  #run({ parameters, inputs, outputs, gradients }: Call): void {
    const { program } = this;
    const slice = (i: number, shape: readonly number[], from: Float32Array) =>
      from.subarray(this.#offsets[i]!, this.#offsets[i]! + sizeOf(shape));
    const results = evaluate(
      program,
      plainOps,
      program.parameters.map(({ shape }, i) => tf.tensor(slice(i, shape, parameters), [...shape])),
      Object.fromEntries(
        program.inputs.map(({ name, shape, dtype }) => [name, toTensor(inputs[name]!, shape, dtype)]),
      ),
    );
    results.outputs.forEach((tensor, i) => {
      outputs[program.outputs[i]!.name]!.set(tensor.dataSync() as Float32Array);
      tensor.dispose();
    });
    results.gradients.forEach((tensor, i) => {
      const into = slice(i, program.parameters[i]!.shape, gradients!);
      if (tensor) into.set(tensor.dataSync() as Float32Array);
      else into.fill(0);
    });
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

/** TensorFlow.js has no bytes: they become int32. */
function toTensor(array: InputArray, shape: readonly number[], dtype: string): Tensor {
  return tf.tensor(
    array instanceof Uint8Array ? Int32Array.from(array) : array.slice(),
    [...shape],
    dtype === 'float32' ? 'float32' : 'int32',
  );
}
