import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A value of a series, by its labels. */
export type Reading = readonly [labels: Readonly<Record<string, string | number>>, value: number];

/** 1 ms to 10 minutes. */
const DURATION_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 150, 600,
];

/** Makes a process's metrics in a registry of its own, those that every Node process has among them. */
export class Instruments {
  readonly registry = new Registry();
  readonly #registers = [this.registry];

  gauge<T extends string>(name: string, help: string, ...labelNames: T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames, registers: this.#registers });
  }

  /** A gauge that is absent, not 0, until it is first set. */
  measured(name: string, help: string): Gauge {
    const gauge = this.gauge(name, help);
    gauge.remove();
    return gauge;
  }

  counter<T extends string>(name: string, help: string, ...labelNames: T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }

  /** Of seconds. */
  durations<T extends string>(name: string, help: string, ...labelNames: T[]): Histogram<T> {
    return new Histogram({ name, help, labelNames, buckets: DURATION_BUCKETS, registers: this.#registers });
  }

  /** A gauge that is read at each scrape: what is not among the readings any more is gone. */
  gaugeOf(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Reading>): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        if (labelNames.length === 0) this.remove();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  }

  /** A counter that is read at each scrape, likewise. */
  counterOf(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Reading>): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }

  /** Says what runs, and measures the process. */
  describeProcess(version: string): void {
    this.gauge('ardm_build_info', 'Always 1; the labels tell the versions.', 'version', 'node').set(
      { version, node: process.versions.node },
      1,
    );
    collectDefaultMetrics({ register: this.registry });
  }
}
