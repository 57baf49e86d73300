import type { Random } from '../../shared/random/philox.js';
import type { Cluster, Place } from './cluster.js';
import type { Process } from './process.js';

/** Does one thing to a cluster; false where there is nothing that it could be done to now. */
type Fault = (act: Act) => boolean;

interface Act {
  readonly cluster: Cluster;
  readonly place: Place;
  readonly random: Random;
  /** Heals after so many milliseconds. */
  later(least: number, most: number, heal: () => void): void;
  count(kind: string): void;
}

/** Workers that join beyond those of the beginning. */
const MOST_MORE = 2;

const end = (process: Process | undefined, signal: 'SIGKILL' | 'SIGTERM') => {
  if (!process?.isAlive || process.isDoomed) return false;
  process.end(signal);
  // A stopped process hears no SIGTERM.
  if (process.isFrozen) process.thaw();
  return true;
};

const freeze = (process: Process | undefined, { later }: Act, most: number) => {
  if (!process?.isAlive || process.isDoomed || process.isFrozen) return false;
  process.freeze();
  later(200, most, () => process.isFrozen && process.thaw());
  return true;
};

const worsen = ({ place, later }: Act, act: (place: Place) => void, most: number) => {
  if (!place.proxy.isUsed) return false;
  act(place);
  later(200, most, () => place.proxy.heal());
  return true;
};

/** By name, with how often each is drawn relative to the others. */
const FAULTS: Readonly<Record<string, { readonly weight: number; readonly fault: Fault }>> = {
  'worker killed': { weight: 3, fault: ({ place }) => end(place.worker, 'SIGKILL') },
  'worker stopped': { weight: 2, fault: ({ place }) => end(place.worker, 'SIGTERM') },
  // Half of them for longer than the heartbeat's timeout.
  'worker frozen': { weight: 3, fault: (act) => freeze(act.place.worker, act, 6000) },
  'worker joins': {
    weight: 1,
    fault({ cluster, place, random }) {
      if (cluster.places.length >= MOST_MORE + 2 + random.below(2) || !place.worker) return false;
      void cluster.addPlace();
      return true;
    },
  },
  'connection cut': {
    weight: 3,
    fault({ place: { proxy } }) {
      if (!proxy.isUsed) return false;
      proxy.cut();
      return true;
    },
  },
  'line delays': {
    weight: 2,
    fault: (act) =>
      worsen(act, ({ proxy }) => proxy.worsen({ delayMs: 20 + 300 * act.random.uniform() }), 3000),
  },
  'line slow': {
    weight: 2,
    fault: (act) =>
      worsen(act, ({ proxy }) => proxy.worsen({ bytesPerSecond: 10_000 + act.random.below(90_000) }), 3000),
  },
  'line holds back': { weight: 2, fault: (act) => worsen(act, ({ proxy }) => proxy.hold(), 5000) },
  'bit flipped': {
    weight: 3,
    fault({ place: { proxy }, random, count }) {
      const [where, bit, least] = [random.uniform(), random.below(8), random.uniform() < 0.5 ? 1 : 1000];
      proxy.flipNext(least, (chunk) => {
        chunk[Math.floor(where * chunk.length)]! ^= 1 << bit;
        count('bit flipped');
      });
      return false; // counted once it is
    },
  },
  'link down': {
    weight: 2,
    fault({ cluster, later }) {
      const namespace = cluster.places.find((place) => place.namespace)?.namespace;
      if (!namespace) return false;
      namespace.isUp = false;
      later(500, 8000, () => (namespace.isUp = true));
      return true;
    },
  },
  'coordinator killed': { weight: 2, fault: ({ cluster }) => end(cluster.coordinator, 'SIGKILL') },
  'coordinator stopped': { weight: 1, fault: ({ cluster }) => end(cluster.coordinator, 'SIGTERM') },
  'coordinator frozen': { weight: 1, fault: (act) => freeze(act.cluster.coordinator, act, 5000) },
};

/** Faults from a seed: which, to whom, and for how long. When each comes the machine has a say in, too. */
export class Faults {
  /** How many there were, by kind. */
  readonly counts: Record<string, number>;
  readonly #random: Random;
  readonly #healing = new Set<NodeJS.Timeout>();

  constructor(random: Random, counts: Record<string, number>) {
    this.#random = random;
    this.counts = counts;
  }

  /** Milliseconds until the next one, `mean` on average. */
  pause(mean: number): number {
    return Math.min(4 * mean, -mean * Math.log(1 - this.#random.uniform()));
  }

  strike(cluster: Cluster): void {
    const random = this.#random;
    const total = Object.values(FAULTS).reduce((sum, { weight }) => sum + weight, 0);
    let at = random.below(total);
    const [kind, { fault }] = Object.entries(FAULTS).find(([, { weight }]) => (at -= weight) < 0)!;
    const place = cluster.places[random.below(cluster.places.length)]!;
    const count = (name: string) => (this.counts[name] = (this.counts[name] ?? 0) + 1);
    const later: Act['later'] = (least, most, heal) => {
      const timer = setTimeout(
        () => {
          this.#healing.delete(timer);
          heal();
        },
        least + (most - least) * random.uniform(),
      );
      this.#healing.add(timer);
    };
    if (fault({ cluster, place, random, later, count })) count(kind);
  }

  close(): void {
    for (const timer of this.#healing) clearTimeout(timer);
  }
}
