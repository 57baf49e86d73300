import { checksum } from '../shared/exchange/buckets.js';

/** The state after so many committed steps, by the link of the chain that it ends. */
export interface Commit {
  readonly step: number;
  readonly chain: string;
}

/** A file of lines that only grows, and now and then is replaced as a whole. */
export interface JournalFile {
  /** All of it; undefined where there is none. */
  read(): string | undefined;
  append(text: string): void;
  /** Afterwards the file is either as it was or holds the text, whatever happens. */
  replace(text: string): void;
}

type Entry =
  | { readonly kind: 'run'; readonly run: string; readonly term: number; readonly configHash: string }
  | ({ readonly kind: 'commit' } & Commit)
  /** Identities of the workers that hold the state, but for those that end with the coordinator. */
  | { readonly kind: 'members'; readonly ids: readonly string[] };

/** What a journal says of the processes before. */
export interface Past {
  readonly run: string;
  readonly term: number;
  readonly configHash: string;
  /** Rising; the last is the newest that was ever published. */
  readonly commits: readonly Commit[];
  readonly members: readonly string[];
}

/** Beyond so many commits a checkpoint lets the journal forget what came before it. */
const MANY = 1000;

/**
 * Notes each commit before it is published, so that a coordinator that was killed knows how far its workers may be, and what
 * state at which step is the run's. Each line is the CRC-32C of its JSON, hex, and the JSON.
 */
export class Journal {
  readonly #file: JournalFile;
  readonly #failed: (reason: string) => void;
  readonly #run: Entry & { kind: 'run' };
  #members: readonly string[];
  #commits: Commit[];
  /** Something is missing in the file, or cut off: it is written anew before anything comes after it. */
  #isBroken = false;

  /**
   * Of a run that begins or goes on: nothing is written before `begin`.
   *
   * @param failed hears why something could not be written
   */
  constructor(file: JournalFile, past: Past, failed: (reason: string) => void) {
    const { run, term, configHash, commits, members } = past;
    this.#file = file;
    this.#failed = failed;
    this.#run = { kind: 'run', run, term, configHash };
    this.#members = members;
    this.#commits = [...commits];
  }

  begin(): void {
    this.#rewrite();
  }

  commit({ step, chain }: Commit): void {
    const commit = { step, chain };
    extend(this.#commits, commit);
    this.#append({ kind: 'commit', ...commit });
  }

  members(ids: readonly string[]): void {
    if (ids.length === this.#members.length && ids.every((id) => this.#members.includes(id))) return;
    this.#members = ids;
    this.#append({ kind: 'members', ids });
  }

  /** What comes before `step` is on disk. */
  saved(step: number): void {
    if (this.#commits.length < MANY) return;
    this.#commits = this.#commits.filter((commit) => commit.step >= step);
    this.#rewrite();
  }

  #append(entry: Entry): void {
    if (this.#isBroken) this.#rewrite();
    else this.#write(() => this.#file.append(lineOf(entry)));
  }

  #rewrite(): void {
    const entries: Entry[] = [
      this.#run,
      { kind: 'members', ids: this.#members },
      ...this.#commits.map((commit): Entry => ({ kind: 'commit', ...commit })),
    ];
    this.#write(() => this.#file.replace(entries.map(lineOf).join('')));
  }

  #write(write: () => void): void {
    try {
      write();
      this.#isBroken = false;
    } catch (error) {
      this.#isBroken = true;
      this.#failed((error as Error).message);
    }
  }
}

/** A run that had to go back takes its steps anew. */
function extend(commits: Commit[], commit: Commit): void {
  while ((commits.at(-1)?.step ?? -1) >= commit.step) commits.pop();
  commits.push(commit);
}

function lineOf(entry: Entry): string {
  const json = JSON.stringify(entry);
  return `${crcOf(json)} ${json}\n`;
}

const crcOf = (json: string): string => checksum(Buffer.from(json)).toString(16).padStart(8, '0');

/** Reads a journal up to the first line that is not whole: what a crash left of the last one. Undefined where there is nothing. */
export function readJournal(text: string | undefined): Past | undefined {
  let run: (Entry & { kind: 'run' }) | undefined;
  let members: readonly string[] = [];
  const commits: Commit[] = [];
  for (const line of (text ?? '').split('\n').slice(0, -1)) {
    const json = line.slice(9);
    if (line.slice(0, 9) !== `${crcOf(json)} `) break;
    const entry = JSON.parse(json) as Entry;
    if (entry.kind === 'run') run = entry;
    else if (entry.kind === 'members') members = entry.ids;
    else {
      extend(commits, { step: entry.step, chain: entry.chain });
    }
  }
  if (!run) return undefined;
  const { term, configHash } = run;
  return { run: run.run, term, configHash, commits, members };
}

/** Whether a journal tells of the run that a state is from, and of nothing else: false also where it says less than the state. */
export function goesOnFrom({ commits }: Pick<Past, 'commits'>, { step, chain }: Commit): boolean {
  const same = commits.find((commit) => commit.step === step);
  return same ? same.chain === chain : (commits[0]?.step ?? -1) > step;
}

/**
 * The step of a replica that says how it came to its state, if that is the run's: its last link is in the journal, or the journal's
 * last one is among its links. Undefined otherwise.
 */
export function provenStep({ commits }: Pick<Past, 'commits'>, links: readonly Commit[]): number | undefined {
  const last = links.at(-1);
  const tip = commits.at(-1);
  if (!last || !tip) return undefined;
  const isSame = (a: Commit) => (b: Commit) => a.step === b.step && a.chain === b.chain;
  return commits.some(isSame(last)) || links.some(isSame(tip)) ? last.step : undefined;
}
