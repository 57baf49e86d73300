import { PHASES, type Phases } from './views.js';

/** Of no use to a reader, or shown elsewhere. */
const LEFT_OUT = ['time', 'event', 'step', 'configHash', 'bytesByType', 'phases', 'work', 'incarnation'];
const MAX_TEXT = 300;

/** A line of events.jsonl. Its fields are what some version of the coordinator wrote, so each is looked at before it is used. */
export class LoggedEvent {
  readonly #fields: Readonly<Record<string, unknown>>;

  private constructor(
    readonly event: string,
    readonly step: number,
    /** Milliseconds since 1970. */
    readonly time: number,
    fields: Readonly<Record<string, unknown>>,
  ) {
    this.#fields = fields;
  }

  /** Undefined where the line is none of an event. */
  static parse(line: string): LoggedEvent | undefined {
    let fields: unknown;
    try {
      fields = JSON.parse(line);
    } catch {
      return undefined;
    }
    if (typeof fields !== 'object' || fields === null) return undefined;
    const { event, step, time } = fields as Record<string, unknown>;
    const at = typeof time === 'string' ? Date.parse(time) : NaN;
    const isEvent = typeof event === 'string' && Number.isSafeInteger(step) && (step as number) >= 0;
    if (!isEvent || Number.isNaN(at)) return undefined;
    return new LoggedEvent(event, step as number, at, fields as Record<string, unknown>);
  }

  number(name: string): number | undefined {
    const value = this.#fields[name];
    return typeof value === 'number' ? value : undefined;
  }

  text(name: string): string | undefined {
    const value = this.#fields[name];
    return typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined;
  }

  /** Seconds; 0 where one is missing. */
  phases(): Phases {
    const phases = this.#fields.phases as Partial<Phases> | undefined;
    return Object.fromEntries(PHASES.map((name) => [name, Number(phases?.[name]) || 0])) as unknown as Phases;
  }

  /** Objects of numbers; those that are none are left out. */
  list(name: string): Readonly<Record<string, number | undefined>>[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) return [];
    return (value as unknown[]).filter(
      (entry): entry is Record<string, number | undefined> => typeof entry === 'object' && entry !== null,
    );
  }

  /** Fields that a reader may want to see. */
  entries(): [string, unknown][] {
    return Object.entries(this.#fields).filter(([name]) => !LEFT_OUT.includes(name));
  }
}

/** An event's own fields in a line of text: `slot 0, pid 4711, host atlas`. */
export function describeEvent(event: LoggedEvent): string {
  return event
    .entries()
    .map(([name, value]) => `${words(name)} ${shown(name, value)}`)
    .filter((part) => !part.endsWith(' '))
    .join(', ')
    .slice(0, MAX_TEXT);
}

/** `standardError` -> `standard error` */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function shown(name: string, value: unknown): string {
  if (typeof value === 'number')
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  if (typeof value === 'string')
    return /^(sha256|run|expected|found)$/.test(name) ? value.slice(0, 12) : value;
  if (Array.isArray(value)) return value.map(String).join('; ');
  return value === null || typeof value === 'object' ? '' : String(value);
}
