import { tf } from '../../networks/tensors.js';
import { EngineError, type Program } from '../engine.js';
import { evaluate } from '../program.js';
import { toTensor, traceBackend } from './backend.js';
import { BlockedBuilder } from './blocked-builder.js';
import { Builder, type Forms } from './builder.js';
import { fuseConvolutions } from './fuse.js';
import type { PrunedGraph, Value } from './graph.js';
import './kernels.js';
import { loweredOps } from './lowered-ops.js';

/** A program as one graph: inputs named as below, the wanted values under their names. */
export interface Trace {
  readonly graph: PrunedGraph;
  /** Outputs and gradients by name; gradients of any shape, their numbers in the parameters' order. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** For each parameter, whether the value depends on it: only then is there a gradient. */
  readonly differentiable: readonly boolean[];
}

/** Names in the graph. */
export const nameOf = {
  parameter: (i: number): string => `parameter${i}`,
  input: (name: string): string => `input/${name}`,
  output: (name: string): string => `output/${name}`,
  gradient: (i: number): string => `gradient${i}`,
};

/**
 * Records a program, forward and backward, as one graph.
 *
 * Throws EngineError naming the program, and the kernel where TensorFlow.js asks for one that isn't recorded.
 */
export function traceProgram(program: Program, forms: Forms): Trace {
  const builder = forms.channelBlock > 0 ? new BlockedBuilder(forms) : new Builder(forms);
  return traceBackend.record(builder, () => {
    tf.engine().startScope();
    try {
      return record(program, builder);
    } catch (error) {
      throw explain(program, error);
    } finally {
      tf.engine().endScope();
    }
  });
}

function record(program: Program, builder: Builder): Trace {
  const parameters = program.parameters.map(({ shape }, i) =>
    toTensor(builder.graph.input(nameOf.parameter(i), 'float32', shape)),
  );
  const inputs = program.inputs.map(({ name, dtype, shape }) => {
    const input = builder.graph.input(nameOf.input(name), dtype, shape);
    // TensorFlow.js has no bytes: there they are int32.
    return [name, toTensor(dtype === 'uint8' ? builder.cast(input, 'int32') : input)];
  });
  const results = evaluate(program, loweredOps(builder), parameters, Object.fromEntries(inputs));
  const outputs = new Map<string, Value>();
  results.outputs.forEach((tensor, i) => {
    outputs.set(nameOf.output(program.outputs[i]!.name), traceBackend.value(tensor));
    tensor.dispose();
  });
  results.gradients.forEach((tensor, i) => {
    // Reshaping what goes into the caller's memory would copy it.
    if (tensor) outputs.set(nameOf.gradient(i), builder.beforeReshape(traceBackend.value(tensor)));
  });
  const wanted = [...outputs.values()];
  return {
    graph: fuseConvolutions(builder.graph.prune(wanted), wanted),
    outputs,
    differentiable: results.gradients.map((tensor) => tensor !== undefined),
  };
}

function explain(program: Program, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error;
  const missing = /Kernel '(\w+)' not registered/.exec(error.message);
  if (!missing) return error;
  return new EngineError(
    `${program.name}: TensorFlow.js's kernel ${missing[1]} cannot be recorded. Write it with other operations, or add it to shared/engine/trace/kernels.ts.`,
  );
}
