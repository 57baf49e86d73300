/** Beyond so many points a curve is halved: more than a screen has pixels. */
const MAX_POINTS = 2000;

/** What a step is drawn with. */
export interface StepFigures {
  readonly step: number;
  /** Of the training batch. */
  readonly bitsPerDim: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly seconds: number;
}

/** Columns of equal length, a row a point: the means over `counts` steps, of which `steps` is the last. Plain data. */
export interface Curve {
  /** Steps a point. */
  width: number;
  /** Grows whenever points that were there are changed other than by the last one's growth. */
  generation: number;
  readonly counts: number[];
  readonly steps: number[];
  readonly bitsPerDim: number[];
  readonly gradientNorm: number[];
  readonly learningRate: number[];
  readonly seconds: number[];
}

export const FIGURES = ['bitsPerDim', 'gradientNorm', 'learningRate', 'seconds'] as const;
const COLUMNS = ['counts', 'steps', ...FIGURES] as const;

/** The columns from some point on, and where that is in the whole. */
export type CurvePart = Readonly<Record<'steps' | (typeof FIGURES)[number], readonly number[]>> & {
  /** Steps a point: step s is in point floor((s - 1) / width). */
  readonly width: number;
};

export function createCurve(): Curve {
  const empty = Object.fromEntries(COLUMNS.map((name) => [name, [] as number[]]));
  return { width: 1, generation: 0, ...empty } as unknown as Curve;
}

/** Adds a step, which is the last so far: a step that was there is trained again, and what followed it is forgotten. */
export function addStep(curve: Curve, figures: StepFigures): void {
  if (figures.step <= (curve.steps.at(-1) ?? 0)) rewind(curve, figures.step - 1);
  const last = curve.steps.length - 1;
  const pointOf = (step: number) => Math.floor((step - 1) / curve.width);
  if (last >= 0 && pointOf(curve.steps[last]!) === pointOf(figures.step)) {
    const n = ++curve.counts[last]!;
    curve.steps[last] = figures.step;
    for (const name of FIGURES) curve[name][last]! += (figures[name] - curve[name][last]!) / n;
    return;
  }
  curve.counts.push(1);
  curve.steps.push(figures.step);
  for (const name of FIGURES) curve[name].push(figures[name]);
  if (curve.steps.length > MAX_POINTS) halve(curve);
}

/** Forgets what lies beyond `step`; a point that reaches beyond it goes as a whole. */
function rewind(curve: Curve, step: number): void {
  const kept = curve.steps.findIndex((each) => each > step);
  if (kept < 0) return;
  for (const name of COLUMNS) curve[name].length = kept;
  curve.generation++;
}

function halve(curve: Curve): void {
  const { counts, steps } = curve;
  const width = curve.width * 2;
  let kept = -1;
  let before = -1;
  for (let i = 0; i < steps.length; i++) {
    const point = Math.floor((steps[i]! - 1) / width);
    if (point === before) {
      const total = counts[kept]! + counts[i]!;
      for (const name of FIGURES)
        curve[name][kept]! += ((curve[name][i]! - curve[name][kept]!) * counts[i]!) / total;
      counts[kept] = total;
      steps[kept] = steps[i]!;
    } else {
      before = point;
      kept++;
      for (const name of COLUMNS) curve[name][kept] = curve[name][i]!;
    }
  }
  for (const name of COLUMNS) curve[name].length = kept + 1;
  curve.width = width;
  curve.generation++;
}

/** The points that end after `step`, to five digits: more can't be seen. */
export function pointsAfter(curve: Curve, step: number): CurvePart {
  const found = curve.steps.findIndex((each) => each > step);
  const from = found < 0 ? curve.steps.length : found;
  const rounded = (values: number[]) => values.slice(from).map((value) => Number(value.toPrecision(5)));
  return {
    width: curve.width,
    steps: curve.steps.slice(from),
    bitsPerDim: rounded(curve.bitsPerDim),
    gradientNorm: rounded(curve.gradientNorm),
    learningRate: rounded(curve.learningRate),
    seconds: rounded(curve.seconds),
  };
}
