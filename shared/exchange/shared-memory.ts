/** Buffers that another process can open by their path. */
export interface SharedBuffers {
  readonly path: string;
  readonly buffers: readonly SharedArrayBuffer[];
  /** From now on nobody can open them; who has them keeps them. */
  close(): void;
}

/** How many buffers there are, of how many bytes (`gradientBytes`), and whether who opens them may write to them. */
export interface SharedSizes {
  readonly count: number;
  readonly bytes: number;
  readonly writable: boolean;
}

/** Memory that processes of one machine share: what one writes into a buffer the others see there. */
export interface SharedMemory {
  /** Equal in two processes where one can open what the other creates. */
  readonly machine: string;
  /** Throws where there is none to be had. */
  create(sizes: SharedSizes): SharedBuffers;
  /** Throws where there is no such memory. */
  open(path: string, sizes: SharedSizes): readonly SharedArrayBuffer[];
}
