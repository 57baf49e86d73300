import type UPlot from 'uplot';
import { make } from './dom.js';

/** A script of its own brings it. */
declare const uPlot: typeof UPlot;

export interface Line {
  readonly name: string;
  /** Of the palette: 0 is the neutral colour. */
  readonly colour: number;
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Marks at the values, for those that are few, and a dashed line between them. */
  readonly dots?: boolean;
  /** Behind the others, and of no weight for the axis. */
  readonly faint?: boolean;
}

export interface ChartStyle {
  readonly label: string;
  readonly height: number;
  readonly logarithmic?: boolean;
}

/** What of the values is shown above the bulk: a run's first steps would press the rest flat. */
const SHOWN_SHARE = 0.97;

/** A chart over the steps in `home`: wide as that, zoomed by dragging, whole again after a double click. */
export class Chart {
  readonly #home: HTMLElement;
  readonly #style: ChartStyle;
  #plot: UPlot | undefined;
  #lines: readonly Line[] = [];

  constructor(home: HTMLElement, style: ChartStyle) {
    this.#home = home;
    this.#style = style;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(home);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  show(lines: readonly Line[]): void {
    const sameSeries = lines.map(identity).join() === this.#lines.map(identity).join();
    this.#lines = lines;
    if (this.#plot && sameSeries) this.#plot.setData(this.#data(), !this.#isZoomed());
    else this.#draw();
  }

  #isZoomed(): boolean {
    const { min, max } = this.#plot!.scales.x!;
    const steps = this.#plot!.data[0];
    return (min ?? 0) > (steps[0] ?? 0) || (max ?? 0) < (steps.at(-1) ?? 0);
  }

  #data(): UPlot.AlignedData {
    const tables = this.#lines.map(({ steps, values }) => [steps, values] as unknown as UPlot.AlignedData);
    if (tables.length === 0) return [[]];
    // A gap in one line is only a step that another has.
    return uPlot.join(
      tables,
      tables.map(() => [1]),
    );
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(200, this.#home.clientWidth), height: this.#style.height };
  }

  #draw(): void {
    this.#plot?.destroy();
    this.#home.replaceChildren();
    if (this.#lines.every(({ steps }) => steps.length === 0)) {
      this.#plot = undefined;
      this.#home.append(make('p', { class: 'empty' }, 'Nothing to draw yet.'));
      return;
    }
    const colour = (name: string) => getComputedStyle(this.#home).getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--grid'), width: 1 },
      ticks: { show: false },
    };
    const options: UPlot.Options = {
      ...this.#size(),
      cursor: { y: false },
      scales: {
        x: { time: false },
        y: this.#style.logarithmic ? { distr: 3 } : { range: (plot) => this.#range(plot) },
      },
      axes: [
        {
          ...axis,
          size: 32,
          values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? short(tick) : '')),
        },
        { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : short(tick))) },
      ],
      series: [
        { label: 'step' },
        ...this.#lines.map(({ name, colour: nth, dots, faint }) => ({
          label: name,
          stroke: colour(`--s${nth}`),
          width: faint ? 1 : 2,
          alpha: faint ? 0.35 : 1,
          spanGaps: true,
          ...(dots && { dash: [6, 4] }),
          points: { show: dots ?? false, size: 6, fill: colour(`--s${nth}`) },
          value: (_: UPlot, value: number | null) =>
            value === null ? '' : Number(value.toPrecision(5)).toString(),
        })),
      ],
    };
    this.#plot = new uPlot(options, this.#data(), this.#home);
    const canvas = this.#home.querySelector('canvas')!;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${this.#style.label}; the table below has the values`);
  }

  /** From the least to what all but the highest few stay below, of what is in sight. */
  #range(plot: UPlot): [number, number] {
    const { min, max } = plot.scales.x!;
    const isSeen = (step: number) => step >= (min ?? -Infinity) && step <= (max ?? Infinity);
    const seen = this.#lines
      .filter(({ faint }) => !faint)
      .flatMap(({ steps, values }) =>
        values.filter((value, i) => isSeen(steps[i]!) && Number.isFinite(value)),
      )
      .sort((a, b) => a - b);
    const low = seen[0] ?? 0;
    const high = seen[Math.min(seen.length - 1, Math.floor(seen.length * SHOWN_SHARE))] ?? 1;
    const margin = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
    return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin];
  }
}

const identity = ({ name, colour, dots, faint }: Line): string => `${name} ${colour} ${dots} ${faint}`;

/** A number that fits beside an axis: `1,200`, `1.2M`, `0.003`, `2.5e-4`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1000 || Number.isInteger(value)) return value.toLocaleString('en-US');
  return size < 1e-3 ? value.toExponential(1).replace('.0e', 'e') : String(Number(value.toPrecision(3)));
}
