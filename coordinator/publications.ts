interface Publication {
  readonly step: number;
  readonly release: () => void;
  readonly waiting: Set<string>;
}

/** Published averages: their buffers are read until everyone they went to has applied them. */
export class Publications {
  #publications: Publication[] = [];

  /** The average of `step` goes to these members; `release` is called once its buffer is free again. */
  add(step: number, to: readonly string[], release: () => void): void {
    this.#publications.push({ step, release, waiting: new Set(to) });
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
    for (const { release, waiting } of this.#publications) if (waiting.size === 0) release();
    this.#publications = this.#publications.filter(({ waiting }) => waiting.size > 0);
  }
}
