import { duration, percent } from '../../words.js';
import { PHASES, type Phases } from '../views.js';
import { byId, make } from './dom.js';

const MEANINGS: Readonly<Record<(typeof PHASES)[number], string>> = {
  compute: 'until the first gradient is here',
  upload: 'until the last one is',
  reduce: 'the average, and the update',
  publish: 'the average goes out',
};

/** Where the time of a step goes, as a bar, with a legend that says the same. */
export function showPhases(phases: Phases | undefined): void {
  const bar = byId('phase-bar');
  const legend = byId('phase-legend');
  const total = phases ? PHASES.reduce((sum, name) => sum + phases[name], 0) : 0;
  byId('phases').hidden = total === 0;
  if (!phases || total === 0) return;
  bar.replaceChildren(
    ...PHASES.map((name, i) => {
      const part = make('span', { class: `phase f${i + 1}` });
      part.style.flexGrow = String(phases[name] / total);
      return part;
    }),
  );
  legend.replaceChildren(
    ...PHASES.map((name, i) =>
      make(
        'li',
        { title: MEANINGS[name] },
        make('span', { class: `swatch f${i + 1}`, 'aria-hidden': 'true' }),
        `${name} ${precise(phases[name])} (${percent(phases[name] / total)})`,
      ),
    ),
  );
}

const precise = (seconds: number): string =>
  seconds < 1 ? `${Number((seconds * 1000).toPrecision(2))} ms` : duration(seconds);
