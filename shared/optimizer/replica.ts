import { createHash } from 'node:crypto';
import { UserError } from '../errors.js';
import { ARRAYS, kernelsOn, type ArrayName, type Kernels } from './kernels.js';
import type { Update } from './update.js';

const PAGE_BYTES = 65_536;
const MEMORY_BYTES = 2 ** 32;
/** The squares of so many elements are summed by themselves, and then these sums in parameter order. */
const NORM_BLOCK_BYTES = 4 * 65_536;

/** Of one array: float32, padded with zeros to whole vectors. */
const arrayBytes = (numParameters: number) => 16 * Math.ceil(numParameters / 4);

/** The most parameters that a replica can hold: its arrays share one WebAssembly memory, which ends at 4 GiB. */
export const MAX_PARAMETERS = 4 * Math.floor(MEMORY_BYTES / (ARRAYS.length * arrayBytes(4)));

/**
 * All of a training's state, and its update: replicas that start equal and apply the same updates to the same gradients
 * hold the same bits, on any machine. The arrays are float32, one element a parameter, 16-byte aligned, in one shared
 * memory that never grows, so that other threads can attach to it.
 */
export class Replica {
  readonly memory: WebAssembly.Memory;
  readonly parameters: Float32Array;
  /** The averaged gradient, which `apply` reads. */
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Moving average of the parameters. */
  readonly ema: Float32Array;
  readonly #kernels: Kernels;

  /** All zeros. Throws a UserError when so many parameters do not fit. */
  constructor(numParameters: number, memory = allocate(numParameters)) {
    const array = (nth: number) =>
      new Float32Array(memory.buffer, nth * arrayBytes(numParameters), numParameters);
    this.memory = memory;
    [this.parameters, this.gradient, this.firstMoment, this.secondMoment, this.ema] = ARRAYS.map((_, nth) =>
      array(nth),
    );
    this.#kernels = kernelsOn(memory);
  }

  /** The replica that another thread made with `new Replica(numParameters)`. */
  static attach(memory: WebAssembly.Memory, numParameters: number): Replica {
    return new Replica(numParameters, memory);
  }

  /** Sum of the squares of the gradient in float64, summed in a fixed order. Not finite where the gradient isn't. */
  squaredNorm(): number {
    const { byteOffset, length } = this.gradient;
    const end = byteOffset + arrayBytes(length);
    let sum = 0;
    for (let begin = byteOffset; begin < end; begin += NORM_BLOCK_BYTES) {
      sum += this.#kernels.squaredNorm(begin, Math.min(NORM_BLOCK_BYTES, end - begin));
    }
    return sum;
  }

  /** Takes one optimizer step with the gradient as it is. */
  apply({ ema: emaDecay, ...update }: Update): void {
    const addresses = Object.fromEntries(ARRAYS.map((name) => [name, this[name].byteOffset]));
    this.#kernels.adam(addresses as Record<ArrayName, number>, arrayBytes(this.parameters.length), {
      ...update,
      oneMinusBeta1: 1 - update.beta1,
      oneMinusBeta2: 1 - update.beta2,
      emaDecay,
      oneMinusEmaDecay: 1 - emaDecay,
    });
  }

  /** SHA-256 (hex) of parameters, firstMoment, secondMoment and ema. */
  hash(): string {
    const hash = createHash('sha256');
    for (const array of [this.parameters, this.firstMoment, this.secondMoment, this.ema]) hash.update(array);
    return hash.digest('hex');
  }
}

function allocate(numParameters: number): WebAssembly.Memory {
  if (numParameters > MAX_PARAMETERS) {
    throw new UserError(
      `a model of ${numParameters.toLocaleString('en')} parameters is too large: its training state must fit into 4 GiB, ` +
        `which holds ${MAX_PARAMETERS.toLocaleString('en')} parameters. Take fewer channels or blocks`,
    );
  }
  const pages = Math.ceil((ARRAYS.length * arrayBytes(numParameters)) / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
