/** Something that happens at a moment. */
interface Happening {
  /** Milliseconds. */
  readonly at: number;
  readonly nth: number;
  happen: (() => void) | undefined;
}

const isBefore = (a: Happening, b: Happening) => a.at < b.at || (a.at === b.at && a.nth < b.nth);

/** Everything that promises have to do until something else happens. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Simulated time: what is planned happens in the order of its moments, and of one moment in the order in which it was planned. */
export class Timeline {
  /** Milliseconds since the beginning. */
  now = 0;
  /** Happenings so far. */
  count = 0;
  /** A binary heap. */
  readonly #heap: Happening[] = [];
  #planned = 0;

  /** Plans something for `milliseconds` from now; the returned function takes it back. */
  after(milliseconds: number, happen: () => void): () => void {
    const happening: Happening = { at: this.now + milliseconds, nth: this.#planned++, happen };
    this.#push(happening);
    return () => (happening.happen = undefined);
  }

  /** Lets the next thing happen, and all that promises make of it. False where nothing is planned. */
  async advance(): Promise<boolean> {
    const next = this.#pop();
    if (!next) return false;
    const { at, happen } = next;
    if (!happen) return true;
    this.now = at;
    this.count++;
    happen();
    await settled();
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
