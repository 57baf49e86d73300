import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createCore,
  decide,
  type CoreAction,
  type CoreEvent,
  type CoreOptions,
  type Recovery,
} from '../../coordinator/core.js';
import type { Task } from '../../shared/protocol/messages.js';

const OPTIONS: CoreOptions = {
  term: 1,
  slices: 4,
  steps: 10,
  minimumMembers: 1,
  waitMs: 60_000,
  heartbeatTimeoutMs: 5_000,
  stepTimeoutMs: 20_000,
  tasksAfter: () => [],
};

/** A core with a clock of its own that remembers what it was told to do. */
class Harness {
  now = 0;
  readonly core;
  readonly log: CoreAction[] = [];

  constructor(options: Partial<CoreOptions> = {}, step = 0, recovery?: Recovery) {
    this.core = createCore({ ...OPTIONS, ...options }, step, 0, recovery);
  }

  feed(event: CoreEvent): CoreAction[] {
    const actions = decide(this.core, event, this.now);
    this.log.push(...actions);
    return actions;
  }

  join(id: string, lanes = 1): void {
    this.feed({ kind: 'join', id, lanes });
    this.feed({ kind: 'state-sent', id, step: this.core.step });
    this.feed({ kind: 'ready', id, step: this.core.step });
  }

  /** Slices dealt to `id` of `step` so far, in order. */
  dealt(id: string, step: number): number[] {
    return this.log.flatMap((action) =>
      action.kind === 'deal' && action.id === id && action.step === step
        ? Array.from({ length: action.end - action.begin }, (_, i) => action.begin + i)
        : [],
    );
  }

  cover(id: string, step: number): void {
    const round = this.core.rounds.find((r) => r.step === step)!;
    for (const [slice, owner] of round.owner.entries()) {
      if (owner === id) this.feed({ kind: 'covered', id, step, begin: slice, end: slice + 1 });
    }
  }

  /** Everyone computes what they have, and the step is committed and applied. */
  commit(): void {
    const { step } = this.core;
    for (const id of this.core.members.keys()) this.cover(id, step);
    this.feed({ kind: 'averaged', step });
    for (const id of this.core.members.keys()) this.feed({ kind: 'applied', id, step: step + 1 });
  }
}

const kinds = (actions: CoreAction[]) => actions.map(({ kind }) => kind);

test('a lone worker gets all slices of this step and of the next', () => {
  const h = new Harness();
  h.join('a');
  assert.deepEqual(h.dealt('a', 0), [0, 1, 2, 3]);
  assert.deepEqual(h.dealt('a', 1), [0, 1, 2, 3]);
  assert.deepEqual(h.dealt('a', 2), []);
});

test('a worker that joins shares the steps that were not dealt yet', () => {
  const h = new Harness();
  h.join('a');
  h.join('b');
  h.commit();
  assert.deepEqual(h.dealt('a', 2), [0, 1]);
  assert.deepEqual(h.dealt('b', 2), [2, 3]);
});

test('what a lost worker owes is dealt to the others: only that, and the same slices', () => {
  const h = new Harness();
  h.join('a');
  h.join('b');
  h.commit();
  h.commit();
  h.feed({ kind: 'covered', id: 'b', step: 2, begin: 2, end: 3 });
  h.feed({ kind: 'leave', id: 'b', reason: 'killed' });
  assert.deepEqual(h.dealt('a', 2), [0, 1, 3]);
  assert.deepEqual(h.dealt('a', 3), [0, 1, 2, 3]);
});

test('a step is published to everyone who got the state, also to those still loading it', () => {
  const h = new Harness();
  h.join('a');
  h.feed({ kind: 'join', id: 'b', lanes: 1 });
  h.feed({ kind: 'join', id: 'c', lanes: 1 });
  h.feed({ kind: 'state-sent', id: 'b', step: 0 });
  h.cover('a', 0);
  const actions = h.feed({ kind: 'averaged', step: 0 });
  assert.deepEqual(
    actions.find(({ kind }) => kind === 'publish'),
    { kind: 'publish', step: 0, to: ['a', 'b'] },
  );
});

test('an average of another step is not committed', () => {
  const h = new Harness();
  h.join('a');
  assert.deepEqual(kinds(h.feed({ kind: 'averaged', step: 3 })), []);
  assert.equal(h.core.step, 0);
});

test('a silent worker is given up after the heartbeat timeout, not before', () => {
  const h = new Harness();
  h.join('a');
  h.now = 5_000;
  assert.deepEqual(kinds(h.feed({ kind: 'tick' })), []);
  h.now = 5_001;
  const [left] = h.feed({ kind: 'tick' });
  assert.equal(left?.kind === 'left' && left.reason, 'silent for 5.0 s');
});

test('a worker that lives but owes a slice for too long is given up', () => {
  const h = new Harness();
  h.join('a');
  h.join('b');
  for (h.now = 0; h.now <= 20_000; h.now += 1000) for (const id of ['a', 'b']) h.feed({ kind: 'alive', id });
  h.cover('b', 0);
  h.now = 20_001;
  h.feed({ kind: 'alive', id: 'b' });
  h.feed({ kind: 'tick' });
  const left = h.log.filter((action) => action.kind === 'left');
  assert.equal(left.length, 1);
  assert.match(left[0]!.reason, /owes slice 0 of step 0 for 20 s/);
  assert.deepEqual(h.dealt('b', 0), [0, 1, 2, 3]);
});

/** Two workers, and ten steps of a second behind them: a straggler owes something for more than the 5 s of the heartbeat. */
function experienced(): Harness {
  const h = new Harness({ steps: 100 });
  for (const id of ['a', 'b']) h.join(id);
  for (let step = 0; step < 10; step++) {
    h.now += 1000;
    h.commit();
  }
  return h;
}

/** Time in which all are heard. */
function pass(h: Harness, milliseconds: number): void {
  h.now += milliseconds;
  for (const id of h.core.members.keys()) h.feed({ kind: 'alive', id });
  h.feed({ kind: 'tick' });
}

test('what a straggler owes goes to one who has nothing left to do, and not before', () => {
  const h = experienced();
  pass(h, 3000);
  h.cover('a', 10);
  pass(h, 2000);
  assert.deepEqual(h.dealt('a', 10), [0, 1]);
  pass(h, 1);
  assert.deepEqual(h.dealt('a', 10), [0, 1, 2, 3]);
  assert.match(
    h.log.flatMap((action) => (action.kind === 'redealt' ? [action.reason] : [])).join(),
    /^slot 1 owes slice 2 for 5 s, longer than is usual$/,
  );
  assert.equal(h.core.members.size, 2, 'it stays');
  h.commit();
  pass(h, 0);
  assert.deepEqual(h.dealt('b', 12), [2, 3], 'and gets its share of later steps');
});

test('while all are at work nobody is a straggler', () => {
  const h = experienced();
  for (let second = 0; second < 15; second++) pass(h, 1000);
  assert.ok(!kinds(h.log).includes('redealt'));
});

test('a worker that does not take a step within the time of a straggler is put out', () => {
  const h = experienced();
  for (const id of ['a', 'b']) h.cover(id, 10);
  h.feed({ kind: 'averaged', step: 10 });
  h.feed({ kind: 'applied', id: 'a', step: 11 });
  pass(h, 5000);
  assert.equal(h.core.members.size, 2);
  pass(h, 1);
  const left = h.log.flatMap((action) => (action.kind === 'left' ? [action.reason] : []));
  assert.deepEqual(left, ['has not applied step 10 for 5 s']);
});

test('below the minimum nothing is dealt, the reason is said once, and after the wait the run fails', () => {
  const h = new Harness({ minimumMembers: 2 });
  h.feed({ kind: 'tick' });
  h.join('a');
  assert.deepEqual(
    h.log
      .filter(({ kind }) => kind === 'waiting')
      .map((action) => action.kind === 'waiting' && action.reason),
    [
      '0 of at least 2 workers ready',
      '0 of at least 2 workers ready, 1 loading',
      '1 of at least 2 workers ready',
    ],
  );
  assert.deepEqual(h.dealt('a', 0), []);
  h.now = 59_000;
  h.feed({ kind: 'alive', id: 'a' });
  h.now = 60_000;
  const failed = h.feed({ kind: 'tick' }).at(-1);
  assert.ok(failed?.kind === 'failed' && failed.tooFewWorkers);
});

test('a gradient that is not finite is dealt again to someone else, and twice ends the run', () => {
  const h = new Harness();
  h.join('a');
  h.join('b');
  h.commit();
  h.commit();
  h.feed({ kind: 'nonfinite', id: 'a', step: 2, slice: 1, tensor: 'conv_in/kernel' });
  assert.ok(h.dealt('b', 2).includes(1));
  const actions = h.feed({ kind: 'nonfinite', id: 'b', step: 2, slice: 1, tensor: 'conv_in/kernel' });
  const failed = actions.at(-1);
  assert.ok(failed?.kind === 'failed' && !failed.tooFewWorkers);
  assert.match(failed.reason, /step 2, slice 1: the gradient of conv_in\/kernel is not finite, twice/);
});

const TASKS: Task[] = [0, 1, 2, 3].map((task) => ({
  kind: 'evaluate',
  task,
  pass: 0,
  first: task * 8,
  count: 8,
}));

test('evaluation is dealt between two steps, and again when its worker is lost', () => {
  const h = new Harness({ tasksAfter: (step) => (step === 1 ? TASKS : []) });
  h.join('a', 2);
  h.join('b', 1);
  assert.deepEqual(h.dealt('a', 1), [], 'the next step is not dealt ahead of an evaluation');
  h.commit();
  const owners = () => Object.fromEntries([...h.core.taskOwner].map(([task, { id }]) => [task, id]));
  assert.deepEqual(owners(), { 0: 'a', 1: 'a', 2: 'b' });
  h.feed({ kind: 'leave', id: 'a', reason: 'killed' });
  for (let i = 0; i < 4; i++) h.feed({ kind: 'result', id: 'b', task: [...h.core.taskOwner.keys()][0]! });
  assert.equal(h.log.filter(({ kind }) => kind === 'tasks-done').length, 1);
  assert.deepEqual(h.dealt('b', 1), [0, 1, 2, 3]);
});

test('the run is finished after the last step and its tasks, and then nothing moves it', () => {
  const h = new Harness({ steps: 1, tasksAfter: (step) => (step === 1 ? TASKS.slice(0, 1) : []) });
  h.join('a');
  h.commit();
  assert.ok(!kinds(h.log).includes('finished'));
  h.feed({ kind: 'result', id: 'a', task: 0 });
  assert.deepEqual(kinds(h.log).slice(-2), ['tasks-done', 'finished']);
  assert.deepEqual(h.feed({ kind: 'join', id: 'b', lanes: 1 }), []);
});

test('whatever workers come, die and return, each step deals every slice to a living owner exactly once', () => {
  const event = fc.oneof(
    fc.record({ what: fc.constant('join' as const), who: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ what: fc.constant('leave' as const), who: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ what: fc.constant('work' as const), who: fc.integer({ min: 0, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const h = new Harness({ slices: 8, steps: 6 });
      let born = 0;
      const names: (string | undefined)[] = [];
      for (const { what, who } of events) {
        const name = names[who];
        if (what === 'join' && !name) h.join((names[who] = `w${born++}`));
        if (what === 'leave' && name) {
          h.feed({ kind: 'leave', id: name, reason: 'killed' });
          names[who] = undefined;
        }
        if (what === 'work' && name) {
          const { step } = h.core;
          if (h.core.rounds.some((round) => round.step === step)) h.cover(name, step);
          const [round] = h.core.rounds;
          if (round?.step === step && round.covered.every(Boolean)) {
            h.feed({ kind: 'averaged', step });
            for (const id of h.core.members.keys()) h.feed({ kind: 'applied', id, step: step + 1 });
          }
        }
        if (h.core.members.size === 0 || h.core.finished) continue;
        for (const round of h.core.rounds) {
          for (const [slice, owner] of round.owner.entries()) {
            assert.ok(
              round.covered[slice] || h.core.members.has(owner!),
              `step ${round.step} slice ${slice} is nobody's`,
            );
          }
        }
      }
      const published = h.log.flatMap((action) => (action.kind === 'publish' ? [action.step] : []));
      assert.deepEqual(published, [...published.keys()], 'committed steps increase by one');
    }),
  );
});

const RECOVERY: Recovery = { tip: 5, expected: ['a', 'b'], waitMs: 30_000 };

test('a restarted core fetches the state from the first worker that is as far as any can be', () => {
  const run = new Harness({}, 2, RECOVERY);
  assert.deepEqual(kinds(run.feed({ kind: 'tick' })), ['waiting']);
  assert.deepEqual(
    kinds(run.feed({ kind: 'join', id: 'b', lanes: 1, offer: 4 })),
    ['waiting'],
    'not the newest',
  );
  assert.deepEqual(run.feed({ kind: 'join', id: 'a', lanes: 1, offer: 5 }), [
    { kind: 'fetch-state', id: 'a' },
  ]);
  assert.deepEqual(run.feed({ kind: 'join', id: 'c', lanes: 1 }), [], 'nobody gets a state meanwhile');
  assert.deepEqual(run.feed({ kind: 'fetched', id: 'a', step: 5 }), [
    { kind: 'recovered', step: 5, lost: 0 },
    ...['b', 'a', 'c'].map((id) => ({ kind: 'send-state', id })),
    { kind: 'waiting', reason: '0 of at least 1 worker ready, 3 loading' },
  ]);
  assert.equal(run.core.step, 5);
  run.join('d');
  assert.deepEqual(run.dealt('d', 5), [0, 1, 2, 3]);
});

test('once all that may hold the state are back, the furthest of them has to do', () => {
  const run = new Harness({}, 2, RECOVERY);
  run.feed({ kind: 'join', id: 'a', lanes: 1, offer: 3 });
  assert.deepEqual(run.feed({ kind: 'join', id: 'b', lanes: 1, offer: 4 }), [
    { kind: 'fetch-state', id: 'b' },
  ]);
  const recovered = run.feed({ kind: 'fetched', id: 'b', step: 4 })[0];
  assert.deepEqual(recovered, { kind: 'recovered', step: 4, lost: 1 });
});

test('a state that is not newer than the own is not fetched', () => {
  const run = new Harness({}, 4, { ...RECOVERY, expected: ['a'] });
  assert.deepEqual(kinds(run.feed({ kind: 'join', id: 'a', lanes: 1, offer: 4 })), [
    'recovered',
    'send-state',
  ]);
});

test('who is not back in time is not waited for', () => {
  const run = new Harness({}, 2, RECOVERY);
  run.now = 29_999;
  assert.deepEqual(kinds(run.feed({ kind: 'tick' })), ['waiting']);
  run.now = 30_000;
  assert.deepEqual(run.feed({ kind: 'tick' }), [{ kind: 'recovered', step: 2, lost: 3 }]);
});

test('where the one that gives its state is lost, or takes too long, the next is asked', () => {
  const asked = () => {
    const run = new Harness({}, 2, { ...RECOVERY, expected: ['a', 'b'] });
    run.feed({ kind: 'join', id: 'a', lanes: 1, offer: 5 });
    run.feed({ kind: 'join', id: 'b', lanes: 1, offer: 5 });
    return run;
  };
  const lost = asked();
  assert.deepEqual(lost.feed({ kind: 'leave', id: 'a', reason: 'gone' }).at(-1), {
    kind: 'fetch-state',
    id: 'b',
  });
  const slow = asked();
  for (let second = 1; second <= 21; second++) {
    slow.now = second * 1000;
    for (const id of ['a', 'b']) slow.feed({ kind: 'alive', id });
    slow.feed({ kind: 'tick' });
  }
  assert.deepEqual(slow.log.at(-1), { kind: 'fetch-state', id: 'b' });
  assert.deepEqual(slow.feed({ kind: 'fetched', id: 'a', step: 5 }), [], 'too late');
});

test('a run whose last step was published needs no more than its state', () => {
  const run = new Harness({ steps: 5 }, 2, { ...RECOVERY, expected: ['a'] });
  run.feed({ kind: 'join', id: 'a', lanes: 1, offer: 5 });
  assert.deepEqual(kinds(run.feed({ kind: 'fetched', id: 'a', step: 5 })), [
    'recovered',
    'send-state',
    'finished',
  ]);
});
