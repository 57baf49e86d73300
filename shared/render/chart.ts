/** Pixels. */
export const WIDTH = 900;
export const LEFT = 64;
export const RIGHT = WIDTH - 20;
const LEGEND_ROW = 20;
const CHARACTER = 6.7;

/** A neutral colour, then those of seriesOf; told apart under the common colour blindnesses (after Okabe and Ito). */
const LIGHT = ['#8a94a0', '#0072b2', '#d55e00', '#009e73', '#b65c96', '#9a6b00', '#3a8fc0'];
const DARK = ['#7b8794', '#56b4e9', '#ff8a3d', '#2ccb9a', '#e39ac6', '#f0c244', '#9ad1f2'];

const style = `
text { font: 12px system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: 600 }
.paper { fill: #fff } .grid { stroke: #e6e8eb } .axis { stroke: #777 } .stage { stroke: #aaa; stroke-dasharray: 3 3 }
path { fill: none; stroke-width: 1.3; stroke-linejoin: round }
${series(LIGHT)}
@media (prefers-color-scheme: dark) {
text { fill: #ccd2d8 } .paper { fill: #14171a } .grid { stroke: #2a2f35 } .axis { stroke: #8a929a } .stage { stroke: #59616a }
${series(DARK)}
}`;

/** The colour class of the i-th curve; 0 is the neutral one. */
export const seriesOf = (i: number): number => (i % (LIGHT.length - 1)) + 1;

function series(colours: readonly string[]): string {
  return colours.map((colour, i) => `.s${i} { stroke: ${colour} } .f${i} { fill: ${colour} }`).join('\n');
}

/** A position among numbers of one decimal: more can't be seen. */
export const px = (value: number): string => value.toFixed(1).replace(/\.0$/, '');

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

export function textAt(x: number, y: number, content: string, anchor = 'middle', attributes = ''): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}"${attributes}>${escapeXml(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line class="${className}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;
}

/** An SVG document of its title and body, light or dark as the reader's system is. */
export function svgDocument(title: string, height: number, body: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<style>${style}
</style>
<rect class="paper" width="${WIDTH}" height="${height}"/>
${textAt(LEFT, 26, title, 'start', ' class="title"')}
${body.join('\n')}
</svg>
`;
}

/** The names of series with their colours, in as many rows as they need; `bottom` is where the last ends. */
export function legend(
  entries: readonly { name: string; series: number }[],
  top: number,
): { body: string[]; bottom: number } {
  let [x, y] = [LEFT, top];
  const body = entries.flatMap(({ name, series }) => {
    const width = 24 + name.length * CHARACTER + 20;
    if (x > LEFT && x + width > RIGHT) [x, y] = [LEFT, y + LEGEND_ROW];
    const entry = [
      `<rect class="f${series}" x="${px(x)}" y="${px(y + 7)}" width="16" height="4"/>`,
      textAt(x + 22, y + 13, name, 'start'),
    ];
    x += width;
    return entry;
  });
  return { body, bottom: y + LEGEND_ROW };
}

/** The y axis with grid lines from the first tick to the last, and its name. */
export function yAxis(ticks: readonly number[], y: (value: number) => number, name: string): string[] {
  const middle = (y(ticks[0]!) + y(ticks.at(-1)!)) / 2;
  return [
    ...ticks.flatMap((tick) => [
      line(LEFT, y(tick), RIGHT, y(tick), 'grid'),
      textAt(LEFT - 8, y(tick) + 4, tickLabel(tick, ticks[1]! - ticks[0]!), 'end'),
    ]),
    textAt(16, middle, name, 'middle', ` transform="rotate(-90 16 ${px(middle)})"`),
  ];
}

/** The x axis at `bottom`: grid lines up to `top`, labels, and its name. */
export function xAxis(
  ticks: readonly { at: number; label: string }[],
  top: number,
  bottom: number,
  name: string,
): string[] {
  return [
    ...ticks.flatMap(({ at, label }) => [
      line(at, top, at, bottom + 4, 'grid'),
      textAt(at, bottom + 18, label),
    ]),
    line(LEFT, bottom, RIGHT, bottom, 'axis'),
    textAt((LEFT + RIGHT) / 2, bottom + 38, name),
  ];
}

/** Round numbers, about `count` of them and never less than two, that span from `min` to `max`: the first is at most min, the last at least max. */
export function spanningTicks(min: number, max: number, count: number): number[] {
  const step = roundStep((max - min || 1) / count);
  const first = Math.floor(min / step);
  const last = Math.max(Math.ceil(max / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
export function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 5, 10].find((multiple) => multiple * power >= step * 0.999999)!;
}

/** With thousands set apart, and as many decimals as the step between ticks needs. */
export function tickLabel(tick: number, step: number): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return tick.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
