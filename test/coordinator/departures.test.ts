import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCore, decide, type CoreAction, type CoreEvent } from '../../coordinator/core.js';
import { DEPARTURES, departureOf } from '../../coordinator/departures.js';

const OPTIONS = {
  ...{ term: 1, slices: 2, steps: 10, minimumMembers: 1, waitMs: 1e6 },
  ...{ heartbeatTimeoutMs: 5000, stepTimeoutMs: 60_000, tasksAfter: () => [] },
};

/** The reason that the core gives for the departure of its one worker, which says that it lives up to `heardAt`. */
function reasonAt(heardAt: number, now: number): string {
  const state = createCore(OPTIONS, 0, 0);
  const id = 'a';
  const events: CoreEvent[] = [
    { kind: 'join', id, lanes: 1 },
    { kind: 'state-sent', id, step: 0 },
    { kind: 'ready', id, step: 0 },
  ];
  for (const event of events) decide(state, event, 0);
  decide(state, { kind: 'alive', id }, heardAt);
  const actions = decide(state, { kind: 'tick' }, now);
  return actions.find((action): action is CoreAction & { kind: 'left' } => action.kind === 'left')!.reason;
}

test('the reasons that the core gives are told apart', () => {
  assert.equal(departureOf(reasonAt(0, 5001)), 'silent');
  assert.equal(departureOf(reasonAt(60_000, 60_001)), 'late');
});

test('so are those that come with the other departures', () => {
  const reasons = {
    'stopped by SIGTERM': 'stopped',
    'its process died (SIGKILL)': 'died',
    'its connection is gone': 'disconnected',
    'has not applied step 4 for 5 s': 'late',
    'is more than 1024 steps behind': 'late',
    'holds another state after step 3': 'diverged',
    'sent a damaged message': 'misbehaved',
    'said hello again': 'misbehaved',
  };
  for (const [reason, cause] of Object.entries(reasons)) assert.equal(departureOf(reason), cause, reason);
  assert.equal(new Set(['silent', ...Object.values(reasons)]).size, DEPARTURES.length);
});

test('a worker can make up no cause', () => {
  assert.equal(departureOf('for reasons of my own, silent for 3 s'), 'misbehaved');
});
