import type { RunView, SamplesView } from '../views.js';
import { byId, make } from './dom.js';
import { cellOf, gridOf, openFrames } from './frames.js';
import { sampleUrl } from './links.js';

/** More players than this are no help. */
const MAX_PLAYERS = 12;

let shown = '';

/** The samples of the step that is chosen, the newest at first. */
export function showSamples(view: RunView): void {
  const { samples } = view;
  const choice = byId<HTMLSelectElement>('sample-step');
  const steps = samples.map(({ step }) => String(step));
  const former = Array.from(choice.options, ({ value }) => value);
  const key = `${view.id} ${JSON.stringify(samples)}`;
  if (key === shown) return;
  shown = key;
  // Who looked at the newest goes on to what is newer.
  const wanted = choice.value !== former[0] && steps.includes(choice.value) ? choice.value : steps[0];
  choice.replaceChildren(
    ...steps.map((step) => make('option', { value: step }, `step ${Number(step).toLocaleString('en-US')}`)),
  );
  if (wanted !== undefined) choice.value = wanted;
  byId('sample-choice').hidden = steps.length < 1;
  choice.onchange = () =>
    showStep(
      view,
      samples.find(({ step }) => String(step) === choice.value),
    );
  showStep(
    view,
    samples.find(({ step }) => String(step) === wanted),
  );
}

function showStep(view: RunView, set: SamplesView | undefined): void {
  const home = byId('sample-view');
  if (!set) {
    home.replaceChildren(make('p', { class: 'empty' }, 'There are no samples yet.'));
    return;
  }
  const { picture, text, clips, frames, step } = set;
  const isGrid = clips.length === 0 ? view.shape : undefined;
  const parts: Node[] = [];
  if (picture !== undefined) {
    const alt = `${clips.length > 0 ? 'Spectrograms of' : ''} samples after step ${step}`.trim();
    const image = make('img', { src: sampleUrl(view.id, picture), alt, class: 'grid-picture' });
    if (frames !== undefined) {
      image.classList.add('has-frames');
      image.addEventListener('click', (event) => {
        const sample = isGrid ? sampleAt(image, isGrid, event.offsetX, event.offsetY) : 0;
        void openFrames(sampleUrl(view.id, frames), isGrid, sample);
      });
    }
    parts.push(
      make('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Samples' }, image),
    );
  }
  if (text !== undefined) {
    const pre = make('pre', {
      class: 'sample-text',
      tabindex: '0',
      'aria-label': `Texts after step ${step}`,
    });
    parts.push(pre);
    void fetch(sampleUrl(view.id, text))
      .then((answer) => answer.text())
      .then((words) => (pre.textContent = words));
  }
  if (clips.length > 0) parts.push(players(view.id, clips));
  if (frames !== undefined) {
    const button = make('button', { type: 'button' }, 'How they fill in');
    button.addEventListener('click', () => void openFrames(sampleUrl(view.id, frames), isGrid, 0));
    parts.push(make('p', {}, button, ' or click a sample'));
  }
  home.replaceChildren(...parts);
}

function players(id: string, clips: readonly string[]): HTMLElement {
  return make(
    'ol',
    { class: 'clips' },
    ...clips.slice(0, MAX_PLAYERS).map((clip, i) =>
      make(
        'li',
        {},
        make('audio', {
          controls: '',
          preload: 'none',
          src: sampleUrl(id, clip),
          'aria-label': `Clip ${i + 1}`,
        }),
      ),
    ),
  );
}

/** The number of the sample at a place on the grid as it is shown, which may be scaled. */
function sampleAt(
  image: HTMLImageElement,
  shape: readonly [number, number, number],
  x: number,
  y: number,
): number {
  const { width, height } = cellOf(shape);
  const scale = image.naturalWidth / image.clientWidth;
  const { rows, columns } = gridOf(shape, { width: image.naturalWidth, height: image.naturalHeight });
  const column = Math.min(columns - 1, Math.floor((x * scale) / width));
  const row = Math.min(rows - 1, Math.floor((y * scale) / height));
  return row * columns + column;
}
