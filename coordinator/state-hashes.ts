interface StateHash {
  /** Committed steps. */
  readonly step: number;
  readonly hash: string;
}

/** A replica whose state is not the coordinator's. */
export interface Divergence extends StateHash {
  readonly id: string;
  readonly expected: string;
}

/** Compares the replicas' hashes with the coordinator's own, whichever of the two comes first. */
export class StateHashes {
  readonly #claims = new Map<string, StateHash>();
  #own: StateHash | undefined;

  /** The coordinator's hash; returns the members that had claimed another one. */
  own(own: StateHash): Divergence[] {
    this.#own = own;
    return [...this.#claims].flatMap(([id, claim]) => this.#compare(id, claim));
  }

  /** A member's hash; returns it where it is wrong. */
  claim(id: string, claim: StateHash): Divergence[] {
    this.#claims.set(id, claim);
    return this.#compare(id, claim);
  }

  forget(id: string): void {
    this.#claims.delete(id);
  }

  #compare(id: string, { step, hash }: StateHash): Divergence[] {
    if (this.#own?.step !== step) return [];
    this.#claims.delete(id);
    return hash === this.#own.hash ? [] : [{ id, step, hash, expected: this.#own.hash }];
  }
}
