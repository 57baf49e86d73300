/** `1 worker`, `2 workers`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** `0.4 s`, `42 s`, `3m 05s`, `2h 07m`, `3d 04h`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pair = (big: number, small: number, units: string) =>
    `${big}${units[0]} ${String(small).padStart(2, '0')}${units[1]}`;
  if (whole < 3600) return pair(Math.floor(whole / 60), whole % 60, 'ms');
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), minutes % 60, 'hm');
  const hours = Math.floor(minutes / 60);
  return pair(Math.floor(hours / 24), hours % 24, 'dh');
}

/** Decimal units: `812 B`, `10.9 MB`. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3));
  return `${(n / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** A rate: two digits below ten, whole numbers above. */
export function rate(value: number): string {
  return value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString('en-US');
}

/** `62.5 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
