import { byId, make, setText } from './dom.js';

/** As grids are written: a gap around each picture, which is enlarged by a whole number to at most so many pixels. */
const GAP = 2;
const SHOWN_PIXELS = 96;
const PLAY_MS = 200;

/** Pixels of a picture in a grid, its gap included. */
export function cellOf([height, width]: readonly [number, number, number]): {
  width: number;
  height: number;
} {
  const scale = Math.max(1, Math.floor(SHOWN_PIXELS / Math.max(height, width)));
  return { width: width * scale + GAP, height: height * scale + GAP };
}

/** The rows and columns of a grid of such pictures. */
export function gridOf(
  shape: readonly [number, number, number],
  pixels: { readonly width: number; readonly height: number },
): { rows: number; columns: number } {
  const { width, height } = cellOf(shape);
  return {
    rows: Math.floor((pixels.height - GAP) / height),
    columns: Math.floor((pixels.width - GAP) / width),
  };
}

/** The states of each text, from a file of trajectories: a line a state with its number before it, an empty line between two. */
export function filmsOf(text: string): string[][] {
  return text
    .split(/\n\n+/)
    .map((film) =>
      film
        .split('\n')
        .filter(Boolean)
        .map((line) => line.replace(/^ *\d+ {2}/, '')),
    )
    .filter((film) => film.length > 0);
}

/** States of samples that can be shown one by one. */
interface Film {
  readonly numSamples: number;
  readonly numStates: number;
  readonly screen: HTMLElement;
  show(sample: number, state: number): void;
}

let film: Film | undefined;
let timer: ReturnType<typeof setInterval> | undefined;

/** Opens the dialog in which a sample fills in step by step. `shape`: of images, whose grid is cut up; else the whole picture is shown. */
export async function openFrames(
  url: string,
  shape: readonly [number, number, number] | undefined,
  sample: number,
): Promise<void> {
  film = url.endsWith('.txt') ? await textFilm(url) : await pictureFilm(url, shape);
  const { numSamples, numStates, screen } = film;
  byId('film-screen').replaceChildren(screen);
  const which = byId<HTMLInputElement>('film-sample');
  which.max = String(numSamples);
  which.value = String(Math.min(sample, numSamples - 1) + 1);
  byId<HTMLInputElement>('film-state').max = String(numStates);
  byId('film-controls').hidden = numStates < 2;
  byId<HTMLDialogElement>('film').showModal();
  play();
}

/** Once, when the page loads. */
export function wireFrames(): void {
  const dialog = byId<HTMLDialogElement>('film');
  dialog.addEventListener('close', pause);
  byId('film-close').addEventListener('click', () => dialog.close());
  byId('film-play').addEventListener('click', () => (timer === undefined ? play() : pause()));
  byId('film-sample').addEventListener('input', show);
  byId('film-state').addEventListener('input', () => {
    pause();
    show();
  });
}

function show(): void {
  const sample = byId<HTMLInputElement>('film-sample').valueAsNumber;
  const state = byId<HTMLInputElement>('film-state');
  if (!film || !(sample >= 1 && sample <= film.numSamples)) return;
  film.show(sample - 1, state.valueAsNumber - 1);
  state.setAttribute('aria-valuetext', `state ${state.value} of ${film.numStates}`);
  setText(byId('film-at'), `${state.value} of ${film.numStates}`);
}

function play(): void {
  pause();
  const state = byId<HTMLInputElement>('film-state');
  if (!film || film.numStates < 2) return show();
  if (state.valueAsNumber >= film.numStates) state.value = '1';
  // Who wants no motion moves the slider.
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return show();
  setText(byId('film-play'), 'Pause');
  timer = setInterval(() => {
    if (state.valueAsNumber >= film!.numStates) return pause();
    state.value = String(state.valueAsNumber + 1);
    show();
  }, PLAY_MS);
  show();
}

function pause(): void {
  clearInterval(timer);
  timer = undefined;
  setText(byId('film-play'), 'Play');
}

async function textFilm(url: string): Promise<Film> {
  const films = filmsOf(await (await fetch(url)).text());
  const screen = make('pre', { class: 'sample-text' });
  return {
    numSamples: films.length,
    numStates: films[0]?.length ?? 0,
    screen,
    show: (sample, state) => setText(screen, films[sample]![state] ?? ''),
  };
}

async function pictureFilm(url: string, shape: readonly [number, number, number] | undefined): Promise<Film> {
  const picture = make('img', { src: url, alt: 'How the samples fill in, a row of states each' });
  await picture.decode();
  if (!shape) return { numSamples: 1, numStates: 1, screen: picture, show: () => undefined };
  const { width, height } = cellOf(shape);
  const { rows, columns } = gridOf(shape, { width: picture.naturalWidth, height: picture.naturalHeight });
  const canvas = make('canvas', { width: String(width - GAP), height: String(height - GAP), role: 'img' });
  const context = canvas.getContext('2d')!;
  return {
    numSamples: rows,
    numStates: columns,
    screen: canvas,
    show(sample, state) {
      const [x, y] = [GAP + state * width, GAP + sample * height];
      context.drawImage(picture, x, y, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
      canvas.setAttribute('aria-label', `Sample ${sample + 1}, state ${state + 1} of ${columns}`);
    },
  };
}
