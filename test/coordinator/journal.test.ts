import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { JournalOnDisk } from '../../coordinator/journal-file.js';
import { goesOnFrom, Journal, provenStep, readJournal, type Past } from '../../coordinator/journal.js';
import { temporaryFolder } from '../data/temporary.js';

const START: Past = {
  run: 'r',
  term: 7,
  configHash: 'c0ffee',
  commits: [{ step: 0, chain: 'start' }],
  members: [],
};
const commit = (step: number, chain = `link ${step}`) => ({ step, chain });

async function open(t: TestContext, past = START, sync = true) {
  const path_ = path.join(await temporaryFolder(t), 'journal');
  const file = new JournalOnDisk(path_, sync);
  const failures: string[] = [];
  const journal = new Journal(file, past, (reason) => failures.push(reason));
  t.after(() => file.close());
  return {
    path: path_,
    file,
    journal,
    failures,
    read: () => readJournal(new JournalOnDisk(path_, sync).read()),
  };
}

test('what was noted is read again: run, term, commits in order, members', async (t) => {
  for (const sync of [true, false]) {
    const { journal, read } = await open(t, START, sync);
    assert.equal(read(), undefined, 'nothing is written before it begins');
    journal.begin();
    journal.members(['a']);
    for (const step of [1, 2, 3]) journal.commit(commit(step));
    journal.members(['a', 'b']);
    assert.deepEqual(read(), {
      ...START,
      commits: [...START.commits, ...[1, 2, 3].map((step) => commit(step))],
      members: ['a', 'b'],
    });
  }
});

test('a commit notes its step and its link, whatever else comes with it', async (t) => {
  const { journal, read } = await open(t);
  journal.begin();
  journal.commit({ ...commit(1), type: 'state-end' } as never);
  assert.deepEqual(read()!.commits.at(-1), commit(1));
});

test('a line that a crash cut, or damage, ends the journal there', async (t) => {
  const { path: file, journal, read } = await open(t);
  journal.begin();
  for (const step of [1, 2, 3]) journal.commit(commit(step));
  const whole = readFileSync(file, 'utf8');
  const last = whole.trimEnd().lastIndexOf('\n') + 1;
  for (let cut = last; cut < whole.length; cut++) {
    writeFileSync(file, whole);
    truncateSync(file, cut);
    assert.equal(read()!.commits.at(-1)!.step, 2, `cut at ${cut}`);
  }
  writeFileSync(file, whole.replace('link 2', 'link X'));
  assert.equal(read()!.commits.at(-1)!.step, 1);
  writeFileSync(file, '');
  assert.equal(read(), undefined);
  appendFileSync(file, 'no journal\n');
  assert.equal(read(), undefined);
});

test('a run that went back notes its steps anew', async (t) => {
  const { journal, read } = await open(t);
  journal.begin();
  for (const step of [1, 2, 3]) journal.commit(commit(step));
  journal.commit(commit(2, 'another way'));
  assert.deepEqual(read()!.commits, [...START.commits, commit(1), commit(2, 'another way')]);
});

test('what a checkpoint holds is forgotten once there is much of it', async (t) => {
  const { path: file, journal, read } = await open(t);
  journal.begin();
  for (let step = 1; step <= 1200; step++) journal.commit(commit(step));
  const size = statSync(file).size;
  journal.saved(1150);
  assert.ok(statSync(file).size < size / 10);
  assert.deepEqual(
    read()!.commits,
    Array.from({ length: 51 }, (_, i) => commit(1150 + i)),
  );
  journal.commit(commit(1201));
  assert.equal(read()!.commits.at(-1)!.step, 1201);
});

test('what can not be written is told, and does not stop the run', () => {
  const failing = () => {
    throw new Error('no space left on device');
  };
  const failures: string[] = [];
  const file = { read: () => undefined, append: failing, replace: failing };
  const journal = new Journal(file, START, (reason) => failures.push(reason));
  journal.begin();
  journal.commit(commit(1));
  assert.deepEqual(failures, Array(2).fill('no space left on device'));
});

test('once there is room again, all is there that could not be written', () => {
  let text = '';
  let room = Infinity;
  const append = (more: string) => {
    const fits = Math.min(more.length, room);
    text += more.slice(0, fits);
    room -= fits;
    if (fits < more.length) throw new Error('no space left on device');
  };
  const replace = (whole: string) => void (text = room >= whole.length ? whole : text);
  const failures: string[] = [];
  const file = { read: () => text, append, replace };
  const journal = new Journal(file, START, (reason) => failures.push(reason));
  journal.begin();
  journal.commit(commit(1));
  room = 20;
  journal.commit(commit(2));
  room = Infinity;
  for (const step of [3, 4]) journal.commit(commit(step));
  assert.deepEqual(readJournal(text)!.commits, [
    ...START.commits,
    ...[1, 2, 3, 4].map((step) => commit(step)),
  ]);
  assert.equal(failures.length, 1);
});

test("a state is the run's where its last link is noted, or it goes on from the newest one", () => {
  const past = { commits: [1, 2, 3].map((step) => commit(step)) };
  assert.equal(provenStep(past, [commit(2)]), 2);
  assert.equal(provenStep(past, [commit(1), commit(2), commit(3)]), 3);
  assert.equal(provenStep(past, [commit(3), commit(4), commit(5)]), 5, 'ahead of the journal');
  assert.equal(provenStep(past, [commit(3, 'another'), commit(4)]), undefined);
  assert.equal(provenStep(past, [commit(4)]), undefined, 'nothing ties it to the run');
  assert.equal(provenStep(past, [commit(2, 'another')]), undefined);
  assert.equal(provenStep({ commits: [] }, [commit(1)]), undefined);
});

test('a journal goes on from a checkpoint that it notes, or from one before all that it notes', () => {
  const past = { commits: [5, 6, 7].map((step) => commit(step)) };
  assert.equal(goesOnFrom(past, commit(6)), true);
  assert.equal(goesOnFrom(past, commit(6, 'another')), false);
  assert.equal(goesOnFrom(past, commit(4)), true, 'the checkpoint after it was damaged');
  assert.equal(goesOnFrom(past, commit(8)), false, 'it stopped before the checkpoint');
  assert.equal(goesOnFrom({ commits: [] }, commit(0)), false);
});
