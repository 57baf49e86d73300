interface Publication {
  readonly step: number;
  readonly buffer: SharedArrayBuffer;
  readonly waiting: Set<string>;
}

/** Published averages: the socket reads their buffers until everyone they went to has applied them. */
export class Publications {
  readonly #give: (buffer: SharedArrayBuffer) => void;
  #publications: Publication[] = [];

  /** @param give takes a buffer that is free again */
  constructor(give: (buffer: SharedArrayBuffer) => void) {
    this.#give = give;
  }

  /** The average of `step` goes to these members. */
  add(step: number, buffer: SharedArrayBuffer, to: readonly string[]): void {
    this.#publications.push({ step, buffer, waiting: new Set(to) });
    this.#settle();
  }

  /** A member's replica holds the state of `step` committed steps; Infinity: the member is gone. */
  applied(id: string, step: number): void {
    for (const publication of this.#publications) if (publication.step < step) publication.waiting.delete(id);
    this.#settle();
  }

  /** The members that keep all but the last `limit` publications waiting. */
  behind(limit: number): string[] {
    const late = this.#publications.slice(0, Math.max(0, this.#publications.length - limit));
    return [...new Set(late.flatMap(({ waiting }) => [...waiting]))];
  }

  #settle(): void {
    for (const { buffer, waiting } of this.#publications) if (waiting.size === 0) this.#give(buffer);
    this.#publications = this.#publications.filter(({ waiting }) => waiting.size > 0);
  }
}
