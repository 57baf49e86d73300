import type { Task } from '../shared/protocol/messages.js';
import { StepLengths } from './straggler.js';

/** What the core must know of the run; all durations in milliseconds. */
export interface CoreOptions {
  readonly term: number;
  readonly slices: number;
  /** Optimizer steps in all. */
  readonly steps: number;
  readonly minimumMembers: number;
  readonly waitMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly stepTimeoutMs: number;
  /** Evaluation and sampling due once so many steps are committed. */
  tasksAfter(step: number): readonly Task[];
}

/** A worker process that said hello. A slot is a place; an incarnation is one process's stay in it. */
export interface Member {
  readonly id: string;
  readonly slot: number;
  readonly incarnation: number;
  readonly lanes: number;
  /** False until it holds the state. */
  ready: boolean;
  /** True once the state was sent: from then on every average goes to it. */
  receiving: boolean;
  /** Steps that its replica has applied. */
  step: number;
  lastSeen: number;
  readonly tasks: Set<number>;
}

/** What a restarted coordinator knows of the processes before it. */
export interface Recovery {
  /** Committed steps of the newest state that was published; beyond the core's own. */
  readonly tip: number;
  /** Workers that held the state and may come back. */
  readonly expected: readonly string[];
  /** For how long they are waited for. */
  readonly waitMs: number;
}

interface Recovering {
  readonly tip: number;
  readonly missing: Set<string>;
  readonly numExpected: number;
  readonly deadline: number;
  /** Steps of the states that members hold, proven to be the run's. */
  readonly offers: Map<string, number>;
  fetching: { readonly id: string; readonly since: number } | undefined;
}

/** One step being computed. */
interface Round {
  readonly step: number;
  readonly owner: (string | undefined)[];
  readonly covered: boolean[];
  /** Who failed at a slice, or took too long, and should get no more of the step while there is someone else. */
  readonly avoid: (string | undefined)[];
  readonly failures: number[];
  readonly dealtAt: number[];
}

export interface CoreState {
  readonly options: CoreOptions;
  /** Committed steps. */
  step: number;
  /** Until it is known who holds the newest state. */
  recovering: Recovering | undefined;
  readonly members: Map<string, Member>;
  /** The current step and, where nothing is due in between, the next. */
  rounds: Round[];
  /** Tasks not dealt yet, and who computes the others. */
  tasks: Task[];
  readonly taskOwner: Map<number, { readonly task: Task; readonly id: string; readonly dealtAt: number }>;
  committedAt: number;
  readonly stepLengths: StepLengths;
  waitingSince: number | undefined;
  waitingReason: string | undefined;
  incarnations: number;
  finished: boolean;
}

export type CoreEvent =
  /** `offer`: committed steps of the state that it still holds, proven to be the run's. */
  | { readonly kind: 'join'; readonly id: string; readonly lanes: number; readonly offer?: number }
  | { readonly kind: 'alive'; readonly id: string }
  /** The state that was fetched from a member is the coordinator's own now. */
  | { readonly kind: 'fetched'; readonly id: string; readonly step: number }
  /** The state of `step` committed steps was sent. */
  | { readonly kind: 'state-sent'; readonly id: string; readonly step: number }
  | { readonly kind: 'ready'; readonly id: string; readonly step: number }
  | { readonly kind: 'leave'; readonly id: string; readonly reason: string }
  /** All buckets of a subtree's sum have arrived. */
  | {
      readonly kind: 'covered';
      readonly id: string;
      readonly step: number;
      readonly begin: number;
      readonly end: number;
    }
  | {
      readonly kind: 'nonfinite';
      readonly id: string;
      readonly step: number;
      readonly slice: number;
      readonly tensor: string;
    }
  /** The sum over all slices is there, finite, and the step is decided. */
  | { readonly kind: 'averaged'; readonly step: number }
  | { readonly kind: 'applied'; readonly id: string; readonly step: number }
  | { readonly kind: 'result'; readonly id: string; readonly task: number }
  | { readonly kind: 'tick' };

export type CoreAction =
  | { readonly kind: 'fetch-state'; readonly id: string }
  /** The run goes on from `step`; `lost` later ones were published, and nobody holds them. */
  | { readonly kind: 'recovered'; readonly step: number; readonly lost: number }
  | { readonly kind: 'send-state'; readonly id: string }
  | {
      readonly kind: 'deal';
      readonly id: string;
      readonly step: number;
      readonly begin: number;
      readonly end: number;
    }
  | { readonly kind: 'redealt'; readonly step: number; readonly slices: number; readonly reason: string }
  | { readonly kind: 'publish'; readonly step: number; readonly to: readonly string[] }
  | { readonly kind: 'task'; readonly id: string; readonly task: Task }
  | { readonly kind: 'tasks-done'; readonly step: number }
  | { readonly kind: 'left'; readonly member: Member; readonly reason: string }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly reason: string; readonly tooFewWorkers: boolean };

/** The core of a run that has `step` committed steps; of one that may have more, with how they are looked for. */
export function createCore(options: CoreOptions, step: number, now: number, recovery?: Recovery): CoreState {
  return {
    options,
    step,
    recovering: recovery && {
      tip: recovery.tip,
      missing: new Set(recovery.expected),
      numExpected: recovery.expected.length,
      deadline: now + recovery.waitMs,
      offers: new Map(),
      fetching: undefined,
    },
    members: new Map(),
    rounds: [],
    // Whoever stopped or died right after this step may have left its tasks undone.
    tasks: step > 0 ? [...options.tasksAfter(step)] : [],
    taskOwner: new Map(),
    committedAt: now,
    stepLengths: new StepLengths(),
    waitingSince: undefined,
    waitingReason: undefined,
    incarnations: 0,
    finished: false,
  };
}

/**
 * Membership and rounds: takes one event at time `now` (ms), changes `state`, and returns what is to be done, in order.
 * It has no clock, socket, disk or randomness of its own: the same events give the same actions.
 */
export function decide(state: CoreState, event: CoreEvent, now: number): CoreAction[] {
  const actions: CoreAction[] = [];
  if (state.finished) return actions;
  const member = 'id' in event ? state.members.get(event.id) : undefined;
  if (member) member.lastSeen = now;
  switch (event.kind) {
    case 'join':
      join(state, event.id, event.lanes, now);
      if (state.recovering) offer(state.recovering, event.id, event.offer);
      else actions.push({ kind: 'send-state', id: event.id });
      break;
    case 'fetched':
      if (state.recovering?.fetching?.id === event.id) recovered(state, event.step, actions);
      break;
    case 'state-sent':
      if (member) Object.assign(member, { receiving: true, step: event.step });
      break;
    case 'ready':
      if (member) Object.assign(member, { ready: true, step: event.step });
      break;
    case 'leave':
      if (member) leave(state, member, event.reason, actions);
      break;
    case 'covered': {
      const round = roundOf(state, event.step);
      if (round) for (let s = event.begin; s < event.end; s++) round.covered[s] = true;
      break;
    }
    case 'nonfinite':
      nonfinite(state, event, actions);
      break;
    case 'averaged':
      commit(state, event.step, now, actions);
      break;
    case 'applied':
      if (member) member.step = event.step;
      break;
    case 'result':
      state.taskOwner.delete(event.task);
      member?.tasks.delete(event.task);
      if (state.tasks.length === 0 && state.taskOwner.size === 0)
        actions.push({ kind: 'tasks-done', step: state.step });
      break;
    case 'tick':
      expire(state, now, actions);
      relieve(state, now, actions);
      break;
    case 'alive':
      break;
  }
  advance(state, now, actions);
  return actions;
}

function roundOf(state: CoreState, step: number): Round | undefined {
  return state.rounds.find((round) => round.step === step);
}

function join(state: CoreState, id: string, lanes: number, now: number): void {
  const taken = new Set([...state.members.values()].map(({ slot }) => slot));
  let slot = 0;
  while (taken.has(slot)) slot++;
  state.members.set(id, {
    id,
    slot,
    incarnation: ++state.incarnations,
    lanes,
    ready: false,
    receiving: false,
    step: 0,
    lastSeen: now,
    tasks: new Set(),
  });
}

/** Frees the slices that a member still owes; returns how many. */
function release(round: Round, id: string): number {
  let numSlices = 0;
  for (const [slice, owner] of round.owner.entries()) {
    if (owner !== id || round.covered[slice]) continue;
    round.owner[slice] = undefined;
    numSlices++;
  }
  return numSlices;
}

/** Takes a member out; what it owed goes back to be dealt. */
function leave(state: CoreState, member: Member, reason: string, actions: CoreAction[]): void {
  state.members.delete(member.id);
  const { recovering } = state;
  recovering?.offers.delete(member.id);
  if (recovering?.fetching?.id === member.id) recovering.fetching = undefined;
  actions.push({ kind: 'left', member, reason });
  for (const round of state.rounds) {
    const numSlices = release(round, member.id);
    if (numSlices > 0) actions.push({ kind: 'redealt', step: round.step, slices: numSlices, reason });
  }
  for (const number of member.tasks) {
    const owned = state.taskOwner.get(number);
    if (!owned) continue;
    state.taskOwner.delete(number);
    state.tasks.unshift(owned.task);
  }
}

function nonfinite(state: CoreState, event: CoreEvent & { kind: 'nonfinite' }, actions: CoreAction[]): void {
  const round = roundOf(state, event.step);
  if (!round || round.owner[event.slice] !== event.id || round.covered[event.slice]) return;
  // The worker gives up all it still owes of the step: a subtree that lacks a slice has no sum.
  const numSlices = release(round, event.id);
  round.avoid[event.slice] = event.id;
  round.failures[event.slice]!++;
  const reason = `the gradient of ${event.tensor} is not finite`;
  if (round.failures[event.slice]! >= 2) {
    state.finished = true;
    actions.push({
      kind: 'failed',
      reason:
        `step ${event.step}, slice ${event.slice}: ${reason}, twice. Training has diverged: ` +
        'start anew, into another --run-dir, with a lower training.learningRate or training.clip',
      tooFewWorkers: false,
    });
  } else {
    actions.push({ kind: 'redealt', step: event.step, slices: numSlices, reason });
  }
}

function commit(state: CoreState, step: number, now: number, actions: CoreAction[]): void {
  if (step !== state.step) return;
  const to = [...state.members.values()].filter(({ receiving }) => receiving).map(({ id }) => id);
  const round = roundOf(state, step)!;
  state.stepLengths.add(now - Math.max(state.committedAt, Math.min(...round.dealtAt)));
  state.step++;
  state.committedAt = now;
  state.rounds = state.rounds.filter((round) => round.step > step);
  state.tasks = [...state.options.tasksAfter(state.step)];
  actions.push({ kind: 'publish', step, to });
}

/** Above the heartbeat's timeout and below the step's, so that each has its own to find. */
function stragglerMs({ options, stepLengths }: CoreState): number {
  return stepLengths.deadline(options.heartbeatTimeoutMs, options.stepTimeoutMs);
}

/** Gives up members that are silent or owe something for too long. */
function expire(state: CoreState, now: number, actions: CoreAction[]): void {
  const { heartbeatTimeoutMs, stepTimeoutMs } = state.options;
  const lagMs = stragglerMs(state);
  const late = `for ${stepTimeoutMs / 1000} s (workers.stepTimeoutSeconds)`;
  for (const member of [...state.members.values()]) {
    if (now - member.lastSeen > heartbeatTimeoutMs) {
      leave(state, member, `silent for ${((now - member.lastSeen) / 1000).toFixed(1)} s`, actions);
      continue;
    }
    const fetching = state.recovering?.fetching;
    if (fetching?.id === member.id && now - fetching.since > stepTimeoutMs) {
      leave(state, member, `owes its state ${late}`, actions);
      continue;
    }
    // Nobody computes on an old state: what it was sent is lost, or it is stuck.
    if (member.ready && member.step < state.step && now - state.committedAt > lagMs) {
      leave(state, member, `has not applied step ${member.step} for ${seconds(lagMs)} s`, actions);
      continue;
    }
    const [round] = state.rounds;
    const owed = round?.owner.findIndex(
      (owner, slice) =>
        owner === member.id &&
        !round.covered[slice] &&
        now - Math.max(round.dealtAt[slice]!, state.committedAt) > stepTimeoutMs,
    );
    if (round && owed !== undefined && owed >= 0) {
      leave(state, member, `owes slice ${owed} of step ${round.step} ${late}`, actions);
      continue;
    }
    for (const number of member.tasks) {
      if (now - (state.taskOwner.get(number)?.dealtAt ?? now) <= stepTimeoutMs) continue;
      leave(state, member, `owes a task ${late}`, actions);
      break;
    }
  }
}

const seconds = (milliseconds: number) => Number((milliseconds / 1000).toFixed(1));

/**
 * Deals what stragglers owe again once others have nothing left to do. They stay members; what they still send of it comes from no owner and is
 * dropped, so the attempts of two workers at one slice never mix.
 */
function relieve(state: CoreState, now: number, actions: CoreAction[]): void {
  const round = roundOf(state, state.step);
  if (!round) return;
  const limit = stragglerMs(state);
  const owed = (id: string) =>
    [...round.owner.keys()].filter((slice) => round.owner[slice] === id && !round.covered[slice]);
  const ready = [...state.members.values()].filter((member) => member.ready);
  const isIdle = (member: Member) => member.step === state.step && owed(member.id).length === 0;
  if (!ready.some(isIdle)) return;
  for (const { id, slot } of ready) {
    const slices = owed(id);
    if (!slices.some((slice) => now - Math.max(round.dealtAt[slice]!, state.committedAt) > limit)) continue;
    for (const slice of slices) round.avoid[slice] = id;
    const reason = `slot ${slot} owes slice ${slices[0]} for ${seconds(limit)} s, longer than is usual`;
    actions.push({ kind: 'redealt', step: round.step, slices: release(round, id), reason });
  }
}

function offer({ missing, offers }: Recovering, id: string, step: number | undefined): void {
  missing.delete(id);
  if (step !== undefined) offers.set(id, step);
}

/**
 * Looks for the newest state of the run: fetches it from the member that is furthest once one is as far as any can be, or those that are expected
 * are back, or were waited for long enough.
 */
function recover(state: CoreState, recovering: Recovering, now: number, actions: CoreAction[]): void {
  const { tip, missing, numExpected, deadline, offers, fetching } = recovering;
  if (fetching) return;
  const [best] = [...offers].filter(([, step]) => step > state.step).sort(([, a], [, b]) => b - a);
  if (missing.size > 0 && now < deadline && !(best && best[1] >= tip)) {
    const numBack = numExpected - missing.size;
    return wait(
      state,
      `step ${tip} was published before the coordinator ended: ${numBack} of ${numExpected} workers that may hold it are back`,
      actions,
    );
  }
  if (!best) return recovered(state, state.step, actions);
  recovering.fetching = { id: best[0], since: now };
  actions.push({ kind: 'fetch-state', id: best[0] });
}

function recovered(state: CoreState, step: number, actions: CoreAction[]): void {
  const { tip } = state.recovering!;
  state.recovering = undefined;
  state.step = step;
  state.tasks = step > 0 ? [...state.options.tasksAfter(step)] : [];
  actions.push({ kind: 'recovered', step, lost: Math.max(0, tip - step) });
  for (const id of state.members.keys()) actions.push({ kind: 'send-state', id });
}

function wait(state: CoreState, reason: string, actions: CoreAction[]): void {
  if (reason !== state.waitingReason) actions.push({ kind: 'waiting', reason });
  state.waitingReason = reason;
}

/** Why nothing can be dealt, or undefined. */
function whyWaiting(state: CoreState, numReady: number): string | undefined {
  const { minimumMembers } = state.options;
  if (numReady >= minimumMembers) return undefined;
  const numLoading = [...state.members.values()].filter(({ ready }) => !ready).length;
  const loading = numLoading > 0 ? `, ${numLoading} loading` : '';
  return `${numReady} of at least ${minimumMembers} worker${minimumMembers === 1 ? '' : 's'} ready${loading}`;
}

/** Deals whatever can be dealt now. */
function advance(state: CoreState, now: number, actions: CoreAction[]): void {
  if (state.finished) return;
  const { options, recovering } = state;
  if (recovering) {
    recover(state, recovering, now, actions);
    return;
  }
  const ready = [...state.members.values()]
    .filter((member) => member.ready)
    .sort((a, b) => a.slot - b.slot || a.incarnation - b.incarnation);
  if (state.step >= options.steps && state.tasks.length === 0 && state.taskOwner.size === 0) {
    state.finished = true;
    actions.push({ kind: 'finished' });
    return;
  }
  const reason = whyWaiting(state, ready.length);
  if (reason !== undefined) {
    state.waitingSince ??= now;
    wait(state, reason, actions);
    if (now - state.waitingSince >= options.waitMs) {
      state.finished = true;
      actions.push({
        kind: 'failed',
        reason: `${reason} for ${options.waitMs / 1000} s (workers.waitSeconds)`,
        tooFewWorkers: true,
      });
    }
    return;
  }
  state.waitingSince = undefined;
  state.waitingReason = undefined;
  if (state.tasks.length > 0 || state.taskOwner.size > 0) dealTasks(state, ready, now, actions);
  else dealRounds(state, ready, now, actions);
}

function dealTasks(state: CoreState, ready: readonly Member[], now: number, actions: CoreAction[]): void {
  // One task a lane and member at a time, members in turn, so that all finish together.
  for (let dealt = true; dealt && state.tasks.length > 0;) {
    dealt = false;
    for (const member of ready) {
      if (member.step !== state.step || member.tasks.size >= member.lanes) continue;
      const task = state.tasks.shift();
      if (!task) break;
      member.tasks.add(task.task);
      state.taskOwner.set(task.task, { task, id: member.id, dealtAt: now });
      actions.push({ kind: 'task', id: member.id, task });
      dealt = true;
    }
  }
}

function dealRounds(state: CoreState, ready: readonly Member[], now: number, actions: CoreAction[]): void {
  const { slices, steps } = state.options;
  const open = (step: number) => {
    if (step >= steps || roundOf(state, step)) return;
    const filled = <T>(value: T) => new Array<T>(slices).fill(value);
    state.rounds.push({
      step,
      owner: filled<string | undefined>(undefined),
      covered: filled(false),
      avoid: filled<string | undefined>(undefined),
      failures: filled(0),
      dealtAt: filled(0),
    });
  };
  open(state.step);
  if (state.options.tasksAfter(state.step + 1).length === 0) open(state.step + 1);
  for (const round of state.rounds) dealSlices(round, ready, now, actions);
}

/** Shares the slices that nobody has, in order, evenly, as few runs as possible. */
function dealSlices(round: Round, ready: readonly Member[], now: number, actions: CoreAction[]): void {
  const free = [...round.owner.keys()].filter((s) => round.owner[s] === undefined && !round.covered[s]);
  const fit = ready.filter(({ id }) => !round.avoid.includes(id));
  const takers = fit.length > 0 ? fit : ready;
  let previous = -2;
  let open: { id: string; begin: number; end: number } | undefined;
  const close = () => {
    if (open) actions.push({ kind: 'deal', step: round.step, ...open });
    open = undefined;
  };
  for (const [nth, slice] of free.entries()) {
    let member = takers[Math.floor((nth * takers.length) / free.length)]!;
    if (takers.length > 1 && round.avoid[slice] === member.id) {
      member = takers[(takers.indexOf(member) + 1) % takers.length]!;
    }
    round.owner[slice] = member.id;
    round.dealtAt[slice] = now;
    if (!open || open.id !== member.id || slice !== previous + 1) {
      close();
      open = { id: member.id, begin: slice, end: slice + 1 };
    } else {
      open.end = slice + 1;
    }
    previous = slice;
  }
  close();
}
