import { bytes, duration } from '../../words.js';
import type { ComponentsView, RunChange, RunView } from '../views.js';
import { Chart, type Line } from './charts.js';
import { byId, make, setText, timeElement } from './dom.js';
import { wireFrames } from './frames.js';
import { componentsUrl, plotUrl, RUNS, runUrl, streamUrl } from './links.js';
import { showOverview } from './overview.js';
import { showPhases } from './phases.js';
import { showSamples } from './samples.js';
import { extend, smooth, SMOOTHING_STEPS, thinned } from './smooth.js';
import { fillRows } from './tables.js';
import { showWorkers } from './workers.js';

/** Between two askings for the whole of a run: events may come in showers. */
const VIEW_MS = 3_000;
/** A page that nobody looks at lets go of its connection. */
const HIDDEN_MS = 60_000;
const TABLE_ROWS = 20;
const NUM_COLOURS = 6;

const runs = new Map<string, RunView>();
let chosen = '';
let stream: EventSource | undefined;
let plotted = '';

const bitsChart = new Chart(byId('bits-chart'), { label: 'Bits by step', height: 340 });
const smallCharts = {
  gradientNorm: new Chart(byId('norm-chart'), {
    label: 'Gradient norm by step',
    height: 180,
    logarithmic: true,
  }),
  learningRate: new Chart(byId('rate-chart'), { label: 'Learning rate by step', height: 180 }),
  seconds: new Chart(byId('seconds-chart'), { label: 'Seconds a step', height: 180 }),
};

async function start(): Promise<void> {
  wireFrames();
  const views = (await (await fetch(RUNS)).json()) as RunView[];
  for (const view of views) runs.set(view.id, view);
  const choice = byId<HTMLSelectElement>('run');
  choice.replaceChildren(...views.map(({ id, name }) => make('option', { value: id }, name)));
  byId('run-choice').hidden = views.length < 2;
  choice.addEventListener('change', () => choose(choice.value));
  choose(views[0]!.id);
  connect();
  let hiding: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(disconnect, HIDDEN_MS);
    else if (!stream) connect();
  });
}

function choose(id: string): void {
  chosen = id;
  showRun();
  showCharts();
}

function connect(): void {
  const from = [...runs.values()].map(({ id, curve }) => `${id}.${curve.steps.at(-1) ?? 0}`).join('-');
  stream = new EventSource(streamUrl(from));
  stream.addEventListener('open', () => setText(byId('connection'), ''));
  stream.addEventListener('error', () => {
    setText(
      byId('connection'),
      'The connection is lost: what you see is the last that was heard. Trying again.',
    );
    // One that was refused does not try again by itself.
    if (stream?.readyState !== EventSource.CLOSED) return;
    disconnect();
    setTimeout(() => stream ?? connect(), 2 * VIEW_MS);
  });
  stream.addEventListener('runs', (message) => {
    for (const change of JSON.parse((message as MessageEvent<string>).data) as RunChange[]) take(change);
  });
}

function disconnect(): void {
  stream?.close();
  stream = undefined;
}

function take(change: RunChange): void {
  const view = runs.get(change.id);
  if (!view) return;
  if (change.generation !== view.generation || change.numEvents !== view.numEvents) askAnew(change.id);
  if (change.generation !== view.generation) return;
  const live = new Map(change.workers.map((worker) => [worker.slot, worker]));
  runs.set(change.id, {
    ...view,
    progress: change.progress,
    workers: view.workers.map((worker) => {
      const now = live.get(worker.slot);
      return now ? { ...worker, live: now } : worker;
    }),
    curve: extend(view.curve, change.curve),
  });
  if (change.id === chosen) showMoving();
  if (change.curve.steps.length > 0) showCharts();
}

const asked = new Set<string>();

/** The whole of a run, once for all that changes in a while. */
function askAnew(id: string): void {
  if (asked.has(id)) return;
  asked.add(id);
  setTimeout(() => asked.delete(id), VIEW_MS);
  void fetch(runUrl(id))
    .then((answer) => answer.json() as Promise<RunView>)
    .then((view) => {
      runs.set(id, view);
      if (id === chosen) showRun();
      showCharts();
    })
    // The stream says that the connection is lost.
    .catch(() => undefined);
}

/** What moves with every step. */
function showMoving(): void {
  const view = runs.get(chosen)!;
  showOverview(view);
  showWorkers(view);
  showPhases(view.progress.phases);
}

function showRun(): void {
  const view = runs.get(chosen)!;
  showMoving();
  setText(byId('name'), view.name);
  showSamples(view);
  void showComponents(view);
  fillRows(
    byId('checkpoint-rows'),
    view.checkpoints.map(({ step, time, name, bytes: size, seconds, snapshotSeconds }) => [
      ...[step.toLocaleString('en-US'), timeElement(time), name, bytes(size)],
      ...[duration(seconds), `${Math.round(snapshotSeconds * 1000)} ms`],
    ]),
    'There is no checkpoint yet.',
  );
  fillRows(
    byId('event-rows'),
    view.events.map(({ time, step, event, text }) => [timeElement(time), String(step), event, text]),
    'Nothing has happened yet.',
  );
  setText(byId('config'), view.config ?? 'The first checkpoint will tell.');
}

async function showComponents({ id, components }: RunView): Promise<void> {
  const key = `${id} ${components}`;
  if (key === plotted) return;
  plotted = key;
  const answer = components === undefined ? undefined : await fetch(componentsUrl(id)).catch(() => undefined);
  if (key !== plotted) return;
  byId('components').hidden = !answer?.ok;
  if (!answer?.ok) return;
  const { rows, policy, checkpoint } = (await answer.json()) as ComponentsView;
  const plot = byId<HTMLImageElement>('components-plot');
  plot.src = plotUrl(id, checkpoint);
  plot.alt = `Loss by generation step at ${checkpoint}, and the ${policy.calls} calls of the ${policy.name} policy`;
  fillRows(
    byId('component-rows'),
    rows.map(({ first, last, bitsPerVariable, calls }) => [
      `${first} to ${last}`,
      bitsPerVariable.toFixed(3),
      String(calls),
    ]),
    '',
  );
}

function showCharts(): void {
  const views = [...runs.values()];
  const lines = views.flatMap((view, i) => bitsLines(view, views.length, (i % NUM_COLOURS) + 1));
  bitsChart.show(lines);
  setText(byId('bits-unit'), [...new Set(views.map(({ unit }) => unit))].join(', '));
  for (const [name, chart] of Object.entries(smallCharts)) {
    const figure = name as keyof typeof smallCharts;
    chart.show(
      views.map(({ name, curve }, i) => ({
        ...{ name, colour: (i % NUM_COLOURS) + 1, steps: curve.steps },
        values: figure === 'gradientNorm' ? curve[figure].map((value) => value || NaN) : curve[figure],
      })),
    );
  }
  fillRows(byId('bits-rows'), tableOf(runs.get(chosen)!), 'Nothing is trained yet.');
}

function bitsLines({ name, curve, tests }: RunView, numRuns: number, colour: number): Line[] {
  const { steps, bitsPerDim, width } = curve;
  const smoothed = smooth(bitsPerDim, SMOOTHING_STEPS / width);
  const test = {
    steps: tests.map(({ step }) => step),
    values: tests.map(({ bitsPerDim }) => bitsPerDim),
    dots: true,
  };
  if (numRuns === 1)
    return [
      { name: 'batch', colour: 0, steps, values: bitsPerDim, faint: true },
      { name: 'train, smoothed', colour: 1, steps, values: smoothed },
      { name: 'test', colour: 2, ...test },
    ];
  return [
    { name: `${name} train`, colour, steps, values: smoothed },
    { name: `${name} test`, colour, ...test },
  ];
}

function tableOf({ curve: { steps, bitsPerDim, width }, tests }: RunView): string[][] {
  const smoothed = smooth(bitsPerDim, SMOOTHING_STEPS / width);
  const before = (step: number) => tests.findLast((test) => test.step <= step);
  return thinned(steps.length, TABLE_ROWS).map((i) => {
    const test = before(steps[i]!);
    return [
      steps[i]!.toLocaleString('en-US'),
      smoothed[i]!.toFixed(4),
      test ? `${test.bitsPerDim.toFixed(4)} ± ${test.standardError.toFixed(4)}` : '',
    ];
  });
}

start().catch(() =>
  setText(byId('connection'), 'The page could not be filled: nobody answers. Load it again.'),
);
