/**
 * An assembler for as much of WebAssembly as the project's kernels use (core specification 2.0, binary format). Code is
 * made by functions of code, so that a kernel reads like the formula it computes.
 */
export type Code = readonly number[];

export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
type Type = (typeof TYPE)[keyof typeof TYPE];

/** An unsigned number in LEB128. */
export function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
const vector = (items: readonly Code[]): number[] => [...leb(items.length), ...items.flat()];
const sized = (bytes: Code): number[] => [...leb(bytes.length), ...bytes];

/** An instruction after what computes its operands. */
export const operation =
  (...opcode: number[]) =>
  (...operands: Code[]): Code => [...operands.flat(), ...opcode];
const simd = (opcode: number, ...immediates: number[]) => operation(0xfd, ...leb(opcode), ...immediates);
const [ALIGNED_8, ALIGNED_16] = [3, 4];
const END = 0x0b;
const FUNCTION_TYPE = 0x60;

/** A number below 64. */
export const i32 = (value: number): Code => [0x41, value];
export const addI32 = operation(0x6a);
export const belowI32 = operation(0x49);
export const addF64 = operation(0xa0);
/** One float32 in all four lanes. */
export const splat = simd(0x13);
/** On four float32: */
export const sqrt = simd(0xe3);
export const add = simd(0xe4);
export const sub = simd(0xe5);
export const mul = simd(0xe6);
export const div = simd(0xe7);
export const load = simd(0x00, ALIGNED_16, 0);
export const store = simd(0x0b, ALIGNED_16, 0);
/** On two float64: */
export const addPair = simd(0xf0);
export const mulPair = simd(0xf2);
/** The two float32 at `address + offset`, as float64. */
export const loadPair = (address: Code, offset: number): Code =>
  simd(0x5f)(simd(0x5d, ALIGNED_8, offset)(address));
export const sumOfPair = (pair: Code): Code => addF64(simd(0x21, 0)(pair), simd(0x21, 1)(pair));

/** Runs the body, and again as long as the condition after it holds. */
export const repeatWhile = (condition: Code, ...body: Code[]): Code => {
  const [LOOP, NO_RESULT, BRANCH_IF] = [0x03, 0x40, 0x0d];
  return [LOOP, NO_RESULT, ...body.flat(), ...condition, BRANCH_IF, 0, END];
};

/** A parameter or local variable. */
export class Variable {
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  get value(): Code {
    return [0x20, ...leb(this.#index)];
  }

  set(value: Code): Code {
    return [...value, 0x21, ...leb(this.#index)];
  }
}

/** One exported function. All parameters are declared before the first local. */
export class Kernel {
  readonly name: string;
  readonly #params: Type[] = [];
  readonly #locals: Type[] = [];
  readonly #results: Type[];
  body: Code = [];

  constructor(name: string, ...results: Type[]) {
    this.name = name;
    this.#results = results;
  }

  params(count: number, type: Type): Variable[] {
    return this.#declare(this.#params, count, type);
  }

  locals(count: number, type: Type): Variable[] {
    return this.#declare(this.#locals, count, type);
  }

  get signature(): Code {
    const types = (list: Type[]) => vector(list.map((type) => [type]));
    return [FUNCTION_TYPE, ...types(this.#params), ...types(this.#results)];
  }

  get code(): Code {
    return sized([...vector(this.#locals.map((type) => [1, type])), ...this.body, END]);
  }

  #declare(list: Type[], count: number, type: Type): Variable[] {
    return Array.from({ length: count }, () => {
      list.push(type);
      return new Variable(this.#params.length + this.#locals.length - 1);
    });
  }
}

/** A module that exports the kernels and imports one memory of any size, `state.memory`, which threads share unless it is `unshared`. */
export function assemble(
  kernels: readonly Kernel[],
  sharing: 'shared' | 'unshared' = 'shared',
): Uint8Array<ArrayBuffer> {
  const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const [TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE] = [1, 2, 3, 7, 10];
  const [FUNCTION, MEMORY, NO_MAXIMUM, SHARED_WITH_MAXIMUM, MAXIMUM_PAGES] = [0, 2, 0, 3, 65_536];
  const section = (id: number, items: readonly Code[]) => [id, ...sized(vector(items))];
  const text = (characters: string) => sized([...Buffer.from(characters)]);
  const limits = sharing === 'shared' ? [SHARED_WITH_MAXIMUM, 0, ...leb(MAXIMUM_PAGES)] : [NO_MAXIMUM, 0];
  const memory = [MEMORY, ...limits];
  const signatures = kernels.map(({ signature }) => signature);
  const typeOfEach = kernels.map((_, nth) => leb(nth));
  const exported = kernels.map(({ name }, nth) => [...text(name), FUNCTION, ...leb(nth)]);
  const code = kernels.map((kernel) => kernel.code);
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(TYPES, signatures),
    ...section(IMPORTS, [[...text('state'), ...text('memory'), ...memory]]),
    ...section(FUNCTIONS, typeOfEach),
    ...section(EXPORTS, exported),
    ...section(CODE, code),
  ]);
}
