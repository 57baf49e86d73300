import { tf } from '../../networks/tensors.js';
import { EngineError, type Program } from '../engine.js';
import { evaluate } from '../program.js';
import { toTensor, traceBackend } from './backend.js';
import { BlockedBuilder } from './blocked-builder.js';
import { Builder, type Forms, type ParameterView } from './builder.js';
import { fuseConvolutions } from './fuse.js';
import { nameOf, type PrunedGraph, type Value } from './graph.js';
import './kernels.js';
import { loweredOps } from './lowered-ops.js';

/** A program as one graph: inputs named as below, the wanted values under their names. */
export interface Trace {
  readonly graph: PrunedGraph;
  /** Outputs and gradients by name; gradients of any shape, their numbers in the parameters' order. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** What the graph reads of the parameters. */
  readonly views: readonly ParameterView[];
  /** For each parameter, the outputs that its gradient consists of, one after another; none where the value doesn't depend on it. */
  readonly gradients: readonly (readonly string[])[];
}

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
    toTensor(builder.parameter(i, nameOf.parameter(i), shape)),
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
  const gradients = results.gradients.map((tensor, i) => {
    // Reshaping or joining what goes into the caller's memory would copy it.
    const parts = tensor ? builder.partsOf(traceBackend.value(tensor)) : [];
    return parts.map((part, nth) => {
      const name = nth === 0 ? nameOf.gradient(i) : `${nameOf.gradient(i)}/${nth}`;
      outputs.set(name, part);
      return name;
    });
  });
  const wanted = [...outputs.values()];
  const graph = fuseConvolutions(builder.graph.prune(wanted), wanted);
  return { graph, outputs, views: builder.views, gradients };
}

function explain(program: Program, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error;
  const missing = /Kernel '(\w+)' not registered/.exec(error.message);
  if (!missing) return error;
  return new EngineError(
    `${program.name}: TensorFlow.js's kernel ${missing[1]} cannot be recorded. Write it with other operations, or add it to shared/engine/trace/kernels.ts.`,
  );
}
