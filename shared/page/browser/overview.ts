import { count, duration, percent, rate } from '../../words.js';
import type { Progress, RunView, State } from '../views.js';
import { byId, make, setText, timeOf } from './dom.js';

const WORDS: Readonly<Record<State, string>> = {
  starting: 'starting',
  waiting: 'waiting',
  training: 'training',
  finishing: 'evaluating and sampling',
  stopping: 'stopping',
  done: 'done',
  failed: 'failed',
  silent: 'no longer heard of',
};
/** A screen reader is told of progress in tenths: of every step would be no reading. */
const TOLD_PARTS = 10;

/** How far the run is, and in what state. */
export function showOverview(view: RunView): void {
  const { progress, unit, workers, about, numDamaged, live } = view;
  const { state, step, steps, reason } = progress;
  const share = steps > 0 ? step / steps : 0;
  document.title = `${view.name}: ${Math.floor(100 * share)} %, ${WORDS[state]}`;
  const badge = byId('state');
  badge.dataset.state = state;
  setText(badge, WORDS[state]);
  const bar = byId<HTMLProgressElement>('progress-bar');
  bar.max = Math.max(1, steps);
  bar.value = step;
  setText(byId('reason'), reason === undefined ? '' : `${WORDS[state]}: ${reason}`);
  byId('facts').replaceChildren(...factsOf(progress, unit, workers.length, live).flatMap(fact));
  const damaged = numDamaged > 0 ? `${count(numDamaged, 'line')} of the event log could not be read. ` : '';
  const what = about
    ? `${about.numParameters.toLocaleString('en-US')} parameters, ${about.batch} examples a step in ${count(about.slices, 'slice')}, ardm ${about.version}, run ${about.run.slice(0, 8)}`
    : '';
  setText(byId('about'), damaged + what);
  const tenths = Math.floor(share * TOLD_PARTS) * (100 / TOLD_PARTS);
  setText(
    byId('told'),
    `${view.name}: ${WORDS[state]}${reason ? `, ${reason}` : ''}, ${tenths} % of the steps`,
  );
}

/** What stands at the top, the most important first. */
export function factsOf(
  progress: Progress,
  unit: string,
  numWorkers: number,
  live: boolean,
): [name: string, value: string][] {
  const { step, steps, epoch, bitsPerDim, testBitsPerDim, examplesPerSecond, etaSeconds } = progress;
  const facts: [string, string | undefined][] = [
    [
      'step',
      `${step.toLocaleString('en-US')} of ${steps.toLocaleString('en-US')} (${percent(steps > 0 ? step / steps : 0)})`,
    ],
    [`train ${unit}`, bitsPerDim?.toFixed(3)],
    [`test ${unit}`, testBitsPerDim?.toFixed(3)],
    ['speed', examplesPerSecond === undefined ? undefined : `${rate(examplesPerSecond)} examples/s`],
    ['time left', etaSeconds === undefined ? undefined : duration(etaSeconds)],
    ['epoch', epoch.toFixed(2)],
    ['workers', live ? String(numWorkers) : undefined],
    ['last heard', progress.lastEventAt === undefined ? undefined : timeOf(progress.lastEventAt)],
  ];
  return facts.filter((each): each is [string, string] => each[1] !== undefined);
}

const fact = ([name, value]: [string, string]): HTMLElement[] => [
  make('div', {}, make('dt', {}, name), make('dd', {}, value)),
];
