import {
  LEFT,
  RIGHT,
  legend,
  line,
  px,
  roundStep,
  seriesOf,
  spanningTicks,
  svgDocument,
  textAt,
  tickLabel,
  xAxis,
  yAxis,
} from './chart.js';
import { linePath } from './line-path.js';

const LEGEND_TOP = 36;
const STAGE_ROW = 24;
const PLOT_PIXELS = 320;
const POLICY_ROW = 12;
/** The staircase of more calls would hide the curve. */
const MAX_STAIRS = 100;
const AXIS_PIXELS = 50;
/** Above so many points a curve needs no dots. */
const MAX_DOTS = 60;

export interface ComponentsPlot {
  readonly title: string;
  /** -elboOfT of each step, stage after stage (LossTracker.components), bits per dimension. */
  readonly components: Float64Array;
  readonly numStages: number;
  /** The steps, counted through all stages, at which each policy calls the network. */
  readonly policies: readonly { readonly name: string; readonly policy: Int32Array }[];
}

/**
 * An SVG chart of the loss components L_t (section 3), bits per variable: under each stage's curve lies that stage's part of the bound,
 * its mean height in bits per dimension. Each policy is a row of marks below, one a call, and up to 100 calls a staircase as well: its cost is
 * the area under L at a call, held to the next.
 */
export function plotComponents({ title, components, numStages, policies }: ComponentsPlot): string {
  const numSteps = components.length;
  const stageSteps = numSteps / numStages;
  const entries = policies.map(({ name, policy }, i) => ({
    name: `${name} (${policy.length.toLocaleString('en-US')} calls)`,
    series: seriesOf(i),
  }));
  const key = legend([{ name: 'loss components', series: 0 }, ...entries], LEGEND_TOP);
  const top = key.bottom + (numStages > 1 ? STAGE_ROW : 4);
  const bottom = top + PLOT_PIXELS;
  const base = bottom + policies.length * POLICY_ROW + (policies.length > 0 ? 4 : 0);

  const bits = (step: number): number => components[step]! * stageSteps;
  const ticks = spanningTicks(0, components.reduce((a, b) => Math.max(a, b), 0) * stageSteps, 6);
  const x = (step: number): number => LEFT + ((RIGHT - LEFT) * step) / numSteps;
  const y = (value: number): number => bottom - (PLOT_PIXELS * value) / ticks.at(-1)!;

  const tickStep = Math.max(1, roundStep(numSteps / 8));
  const body = [
    ...key.body,
    ...xAxis(
      Array.from({ length: Math.floor(numSteps / tickStep) + 1 }, (_, i) => ({
        at: x(i * tickStep),
        label: tickLabel(i * tickStep, tickStep),
      })),
      top,
      base,
      numStages > 1 ? 'generation step, through all stages' : 'generation step',
    ),
    ...yAxis(ticks, y, 'bits per variable'),
  ];
  if (numStages > 1) body.push(textAt(LEFT - 8, top - 9, 'stage', 'end'));
  for (let stage = 0; stage < numStages; stage++) {
    const begin = stage * stageSteps;
    if (stage > 0) body.push(line(x(begin), top - STAGE_ROW, x(begin), base, 'stage'));
    if (numStages > 1) body.push(textAt(x(begin + stageSteps / 2), top - 9, `${stage}`));
    const at = (i: number): number => x(begin + i);
    body.push(`<path class="s0" d="${linePath(stageSteps, at, (i) => y(bits(begin + i)))}"/>`);
  }
  policies.forEach(({ policy }, i) => {
    const series = seriesOf(i);
    const row = bottom + 4 + i * POLICY_ROW;
    if (policy.length <= MAX_STAIRS) {
      body.push(`<path class="s${series}" d="${staircase(policy, numSteps, x, (step) => y(bits(step)))}"/>`);
    }
    body.push(`<path class="s${series}" d="${marks(policy, x, row, POLICY_ROW - 4)}"/>`);
  });
  return svgDocument(title, base + AXIS_PIXELS, body);
}

function staircase(
  policy: Int32Array,
  numSteps: number,
  x: (step: number) => number,
  y: (step: number) => number,
): string {
  const corner = (i: number): number => (i + 1) >> 1;
  const edge = (j: number): number => policy[j] ?? numSteps;
  return linePath(
    policy.length * 2,
    (i) => x(edge(corner(i))),
    (i) => y(policy[i >> 1]!),
  );
}

/** Calls that fall on one pixel are one mark. */
function marks(policy: Int32Array, x: (step: number) => number, top: number, height: number): string {
  const places = new Set(Array.from(policy, (step) => px(Math.floor(x(step)) + 0.5)));
  return [...places].map((place) => `M${place} ${top}v${height}`).join('');
}

export interface CostsPlot {
  readonly title: string;
  /** Expected bits per dimension of rising budgets. */
  readonly curves: readonly {
    readonly name: string;
    readonly budgets: ArrayLike<number>;
    readonly costs: ArrayLike<number>;
  }[];
}

/** An SVG chart of what generation in few network calls costs: expected bits per dimension against the budget, on a log scale. */
export function plotCosts({ title, curves }: CostsPlot): string {
  const key = legend(
    curves.map(({ name }, i) => ({ name, series: seriesOf(i) })),
    LEGEND_TOP,
  );
  const top = key.bottom + 4;
  const bottom = top + PLOT_PIXELS;
  const fold = (f: (a: number, b: number) => number, start: number, of: 'budgets' | 'costs'): number =>
    curves.reduce((sofar, curve) => Array.from(curve[of]).reduce((a, b) => f(a, b), sofar), start);

  const maxBudget = fold(Math.max, 10, 'budgets');
  const ticks = spanningTicks(fold(Math.min, Infinity, 'costs'), fold(Math.max, -Infinity, 'costs'), 6);
  const x = (budget: number): number => LEFT + ((RIGHT - LEFT) * Math.log(budget)) / Math.log(maxBudget);
  const y = (cost: number): number =>
    bottom - (PLOT_PIXELS * (cost - ticks[0]!)) / (ticks.at(-1)! - ticks[0]!);

  const body = [
    ...key.body,
    ...xAxis(
      logTicks(maxBudget).map((tick) => ({ at: x(tick), label: tickLabel(tick, 1) })),
      top,
      bottom,
      'network calls',
    ),
    ...yAxis(ticks, y, 'bits per dimension'),
  ];
  curves.forEach(({ budgets, costs }, i) => {
    const series = seriesOf(i);
    const at = (j: number): number => x(budgets[j]!);
    const height = (j: number): number => y(costs[j]!);
    body.push(`<path class="s${series}" d="${linePath(budgets.length, at, height)}"/>`);
    for (let j = 0; j < budgets.length && budgets.length <= MAX_DOTS; j++) {
      body.push(`<circle class="f${series}" cx="${px(at(j))}" cy="${px(height(j))}" r="2.5"/>`);
    }
  });
  return svgDocument(title, bottom + AXIS_PIXELS, body);
}

/** 1, 2, 5, 10, 20, ... up to `max`; over more than four decades the powers of ten alone. */
function logTicks(max: number): number[] {
  const multiples = max > 1e4 ? [1] : [1, 2, 5];
  const decades = Array.from({ length: Math.floor(Math.log10(max)) + 1 }, (_, power) => 10 ** power);
  return decades.flatMap((decade) => multiples.map((m) => m * decade)).filter((tick) => tick <= max);
}
