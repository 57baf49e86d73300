#!/usr/bin/env node
// Runs the built tests, each file in a process of its own: `npm test`, `npm test -- test/engine`, `npm run test:parity`.
//
//   node --enable-source-maps scripts/test.mjs [--parity] [--minutes N] [FILE|FOLDER]...
//
// --parity stands for test/parity; --minutes (10) is how long one file may take. The last line counts: `N passed, N failed, N skipped`. Exit codes: 0, 1 when a test failed or none ran, 2 for wrong
// arguments, 130 and 143 when stopped.
import { existsSync, readdirSync } from 'node:fs';
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';

/** Begun first, so that no long file is left for the end. */
const LONGEST = ['e2e', 'package', 'engine', 'parity'];
/** What is kept of a file's own output, for the case that it fails. */
const OUTPUT_LINES = 40;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, 'dist', 'test');

/** `test/engine/x.test.ts` for a source, for what was built of it, and for a folder of either. */
function toSource(file) {
  const relative = path.relative(root, path.resolve(file));
  return relative.replace(/^dist[\\/]test/, 'test').replace(/\.js$/, '.ts');
}

/** Paths of the sources below `test/` whose tests are built; what was built of a source that is gone is left alone. */
function findTests() {
  if (!existsSync(built)) return [];
  const sources = readdirSync(built, { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => path.join('test', file.replace(/\.js$/, '.ts')))
    .filter((source) => existsSync(path.join(root, source)));
  const rank = (source) => {
    const place = LONGEST.indexOf(source.split(path.sep)[1]);
    return place < 0 ? LONGEST.length : place;
  };
  return sources.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Those of the tests that the arguments name: source or built files, or folders of them. */
function choose(tests, wanted) {
  const named = wanted.map((argument) => {
    const source = toSource(argument);
    const found = tests.filter((test) => test === source || test.startsWith(source + path.sep));
    if (found.length === 0)
      stop(2, `there is no built test at ${argument}: name a file or folder below test/`);
    return found;
  });
  return wanted.length === 0 ? tests : tests.filter((test) => named.flat().includes(test));
}

function stop(exitCode, message) {
  console.error(`test: ${message}`);
  process.exit(exitCode);
}

/** What became of one file's tests. */
class FileReport {
  passed = 0;
  failures = [];
  /** Reasons. */
  skips = [];
  seconds = 0;
  /** A line for each test. */
  tests = [];
  #source;
  #output = [];
  /** Of the test that runs and those around it, outermost first. */
  #names = [];

  constructor(source) {
    this.#source = source;
  }

  /** Takes an event of `run`. */
  take(type, data) {
    if (type === 'test:stdout' || type === 'test:stderr') this.#output.push(data.message);
    else if (type === 'test:dequeue') this.#names.splice(data.nesting, Infinity, data.name);
    else if (type !== 'test:complete') return;
    else if (toSource(data.name) === this.#source) this.#takeFile(data.details);
    else this.#takeTest(data);
  }

  #takeTest({ name, nesting, skip, todo, details }) {
    const { error } = details;
    const title = [...this.#names.slice(0, nesting), name].join(' > ');
    const skipped = skip !== undefined || todo !== undefined;
    if (skipped) this.skips.push(skip || todo);
    else if (!error) this.passed++;
    else if (error.failureType !== 'subtestsFailed') this.failures.push({ title, error });
    this.tests.push(`${skipped ? 'skip' : error ? 'FAIL' : 'ok  '} ${title}`);
  }

  /** The process as a whole may have failed where none of its tests did. */
  #takeFile({ error, duration_ms: milliseconds }) {
    this.seconds = milliseconds / 1000;
    if (!error || error.failureType === 'subtestsFailed') return;
    const { name, message, exitCode, signal } = error;
    const words = [name === 'TimeoutError' ? `it did not end within ${flags.minutes} minutes` : message];
    if (exitCode || signal) words.push(`it ended with ${signal ?? `exit code ${exitCode}`}`);
    const begun = this.#names.join(' > ');
    if (toSource(begun) !== this.#source) words.push(`the test begun last: ${begun}`);
    this.failures.push({ title: 'the process of the file', error: { cause: words.join('\n') } });
  }

  get numTests() {
    return this.passed + this.failures.length + this.skips.length;
  }

  /** `ok   test/engine/x.test.ts: 5 tests, 1 skipped, 0.4 s` */
  get line() {
    const counts = [`${this.numTests} ${this.numTests === 1 ? 'test' : 'tests'}`];
    if (this.failures.length > 0) counts.push(`${this.failures.length} FAILED`);
    if (this.skips.length > 0) counts.push(`${this.skips.length} skipped`);
    const verdict = this.failures.length > 0 ? 'FAIL' : 'ok  ';
    return `${verdict} ${this.#source}: ${counts.join(', ')}, ${this.seconds.toFixed(1)} s`;
  }

  printFailures() {
    if (this.failures.length === 0) return;
    for (const { title, error } of this.failures)
      console.log(`\n${this.#source}: ${title}\n${describe(error)}`);
    const lines = this.#output.join('').trimEnd().split('\n').slice(-OUTPUT_LINES);
    if (lines[0] !== '') console.log(`\n${this.#source} printed:\n  ${lines.join('\n  ')}`);
  }
}

/** Message, difference and stack of a failure, without the lines of Node's own that every stack ends in. */
function describe({ cause }) {
  const text = typeof cause === 'string' ? cause : inspect(cause);
  const lines = text.split('\n').filter((line) => !/^\s+at .*\(?node:internal\//.test(line));
  return lines.map((line) => `  ${line}`).join('\n');
}

/** Runs one file to its end, or to the limit; its tests may be listed. */
async function runFile(source, listed, signal) {
  const file = path.join(root, 'dist', source.replace(/\.ts$/, '.js'));
  const report = new FileReport(source);
  // Node 24's own `timeout` leaves a file alone that hangs outside its tests.
  const limit = AbortSignal.any([signal, AbortSignal.timeout(Number(flags.minutes) * 60_000)]);
  for await (const { type, data } of run({ files: [file], signal: limit })) report.take(type, data);
  if (report.numTests === 0)
    report.failures.push({ title: 'it holds no test', error: { cause: 'nothing ran' } });
  if (listed) for (const line of report.tests) console.log(`  ${line}`);
  console.log(report.line);
  return report;
}

/** Runs the files, as many at a time as there are cores; resolves with their reports. */
async function runFiles(sources, signal) {
  const waiting = [...sources];
  const reports = [];
  const work = async () => {
    while (waiting.length > 0 && !signal.aborted)
      reports.push(await runFile(waiting.shift(), sources.length === 1, signal));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return reports;
}

/** Every reason once, with how many tests it kept from checking. */
function printSkips(skips) {
  const counts = new Map();
  for (const reason of skips) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [later, absent] = [true, false].map((wanted) =>
    [...counts].filter(([reason]) => reason.startsWith('not built yet') === wanted),
  );
  const print = (heading, reasons) => {
    if (reasons.length > 0) console.log(`\n${heading}`);
    for (const [reason, count] of reasons) console.log(`  ${reason}${count > 1 ? ` (${count} tests)` : ''}`);
  };
  print('Left out:', later);
  print('Not checked here:', absent);
  if (absent.length > 0)
    console.log(
      'To check it too: `bash scripts/ci-install.sh` installs what tests can use (Linux), ARDM_REQUIRE_ALL=1 fails where it is absent.',
    );
}

function readArguments() {
  const options = { parity: { type: 'boolean' }, minutes: { type: 'string', default: '10' } };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return stop(2, error.message);
  }
}

const { values: flags, positionals } = readArguments();
if (flags.parity) positionals.push(path.join(root, 'test', 'parity'));
if (!(Number(flags.minutes) > 0)) stop(2, `--minutes ${flags.minutes} is no number above 0`);
const tests = choose(findTests(), positionals);

const interruption = new AbortController();
// Each run listens to the signal and to the process.
setMaxListeners(0, interruption.signal, process);
let stopped = 0;
for (const [name, exitCode] of Object.entries({ SIGINT: 130, SIGTERM: 143 }))
  process.on(name, () => {
    if (stopped) process.exit(exitCode);
    stopped = exitCode;
    interruption.abort();
  });

const reports = await runFiles(tests, interruption.signal);
for (const report of reports) report.printFailures();
printSkips(reports.flatMap(({ skips }) => skips));
const total = (count) => reports.reduce((sum, report) => sum + count(report), 0);
const passed = total((report) => report.passed);
const failed = total((report) => report.failures.length);
const skipped = total((report) => report.skips.length);
if (stopped) console.log('\nStopped before the end.');
if (tests.length === 0) console.log('There is no built test: `npm run build` first.');
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
// A process that a killed test left behind may still hold a pipe open.
process.exit(stopped || (failed > 0 || passed + skipped === 0 ? 1 : 0));
