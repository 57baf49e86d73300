import { createHash } from 'node:crypto';
import { UserError } from '../errors.js';
import { ARRAYS, kernelsOn, type ArrayName, type Kernels } from './kernels.js';
import type { Update } from './update.js';

const PAGE_BYTES = 65_536;
const MEMORY_BYTES = 2 ** 32;
/** The squares of so many elements are summed by themselves, and then these sums in parameter order. */
export const NORM_BLOCK = 65_536;

/** Of one array: float32, padded with zeros to whole vectors. */
const arrayBytes = (numParameters: number) => 16 * Math.ceil(numParameters / 4);
const componentsBytes = (numSteps: number) => 8 * numSteps;

/**
 * The most parameters that a replica with so many loss components can hold: all of it shares one WebAssembly memory, which
 * ends at 4 GiB.
 */
export function maxParameters(numSteps: number): number {
  return 4 * Math.floor((MEMORY_BYTES - componentsBytes(numSteps)) / (ARRAYS.length * arrayBytes(4)));
}

/**
 * All of a training's state, and its update: replicas that start equal and apply the same updates to the same gradients
 * hold the same bits, on any machine. The arrays are float32, one element a parameter, 16-byte aligned, and after them come
 * the loss components, in one shared memory that never grows, so that other threads can attach to it.
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
  /** The loss components that a LossTracker keeps: float64, one a time step, NaN where none was seen. */
  readonly components: Float64Array;
  readonly #kernels: Kernels;

  /** All zeros, and no time step seen. Throws a UserError when so many parameters do not fit. */
  constructor(numParameters: number, numSteps: number, attached?: WebAssembly.Memory) {
    const memory = attached ?? allocate(numParameters, numSteps);
    const begin = (nth: number) => nth * arrayBytes(numParameters);
    this.memory = memory;
    [this.parameters, this.gradient, this.firstMoment, this.secondMoment, this.ema] = ARRAYS.map(
      (_, nth) => new Float32Array(memory.buffer, begin(nth), numParameters),
    );
    this.components = new Float64Array(memory.buffer, begin(ARRAYS.length), numSteps);
    if (!attached) this.components.fill(NaN);
    this.#kernels = kernelsOn(memory);
  }

  /** The replica that another thread made with `new Replica(numParameters, numSteps)`. */
  static attach(memory: WebAssembly.Memory, numParameters: number, numSteps: number): Replica {
    return new Replica(numParameters, numSteps, memory);
  }

  /** Sum of the squares of the gradient in float64, summed in a fixed order. Not finite where the gradient isn't. */
  squaredNorm(): number {
    let sum = 0;
    for (let block = 0; block * NORM_BLOCK < this.gradient.length; block++) sum += this.squaresOf(block);
    return sum;
  }

  /** Sum of the squares of the gradient's elements from `block * NORM_BLOCK` on. */
  squaresOf(block: number): number {
    const { byteOffset, length } = this.gradient;
    const begin = 4 * NORM_BLOCK * block;
    return this.#kernels.squaredNorm(
      byteOffset + begin,
      Math.min(4 * NORM_BLOCK, arrayBytes(length) - begin),
    );
  }

  /** Takes one optimizer step with the gradient as it is: of the elements [begin, end), multiples of 4 within the arrays. */
  apply({ ema: emaDecay, ...update }: Update, begin = 0, end = this.parameters.length): void {
    const addresses = Object.fromEntries(ARRAYS.map((name) => [name, this[name].byteOffset + 4 * begin]));
    const bytes = Math.min(4 * end, arrayBytes(this.parameters.length)) - 4 * begin;
    this.#kernels.adam(addresses as Record<ArrayName, number>, 16 * Math.ceil(bytes / 16), {
      ...update,
      oneMinusBeta1: 1 - update.beta1,
      oneMinusBeta2: 1 - update.beta2,
      emaDecay,
      oneMinusEmaDecay: 1 - emaDecay,
    });
  }

  /** SHA-256 (hex) of parameters, firstMoment, secondMoment, ema and components. */
  hash(): string {
    const { parameters, firstMoment, secondMoment, ema, components } = this;
    const hash = createHash('sha256');
    for (const array of [parameters, firstMoment, secondMoment, ema, components]) hash.update(array);
    return hash.digest('hex');
  }
}

function allocate(numParameters: number, numSteps: number): WebAssembly.Memory {
  const most = maxParameters(numSteps);
  if (numParameters > most) {
    throw new UserError(
      `a model of ${numParameters.toLocaleString('en')} parameters is too large: its training state must fit into 4 GiB, ` +
        `which holds ${most.toLocaleString('en')} parameters. Take fewer channels or blocks`,
    );
  }
  const bytes = ARRAYS.length * arrayBytes(numParameters) + componentsBytes(numSteps);
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
