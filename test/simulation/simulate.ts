import type { CodecConfig } from '../../shared/config/schema.js';
import { injectFaults } from './faults.js';
import type { Mutation } from './mutation.js';
import type { Reference } from './oracle.js';
import { World } from './world.js';

export interface Result {
  readonly seed: number;
  /** Injected, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** What must not be, and was. */
  readonly violations: readonly string[];
  /** What of it was looked at. */
  readonly checks: number;
  readonly events: number;
  /** Simulated. */
  readonly seconds: number;
}

export interface SimulateOptions {
  readonly mutation?: Mutation;
  /** Absent: float32. */
  readonly codec?: CodecConfig;
  readonly trace?: (line: string) => void;
}

/** Faults are over by then, in milliseconds. */
const FAULTS_END = 30_000;
/** Once they are, the run ends within this time. */
const LIMIT_MS = 120_000;

/** By codec. */
const references = new Map<string, Promise<Reference>>();

async function undisturbed(codec: CodecConfig | undefined): Promise<Reference> {
  const world = new World({ seed: 0, numMachines: 2, codec });
  await runToEnd(world, LIMIT_MS);
  const { violations } = world.oracle;
  if (violations.length > 0) throw new Error(`the undisturbed run: ${violations.join('; ')}`);
  return world.oracle.reference;
}

/** One run, all of whose faults and delays follow from its seed. */
export async function simulate(
  seed: number,
  { mutation, codec, trace }: SimulateOptions = {},
): Promise<Result> {
  const key = JSON.stringify(codec);
  const reference = references.get(key) ?? undisturbed(codec);
  references.set(key, reference);
  const plan = injectFaults(seed, FAULTS_END);
  const world = new World({
    seed,
    numMachines: plan.numMachines,
    reference: await reference,
    mutation,
    codec,
    trace,
  });
  plan.into(world);
  await runToEnd(world, FAULTS_END + LIMIT_MS);
  const { oracle, timeline, faults } = world;
  return {
    seed,
    faults,
    violations: oracle.violations,
    checks: oracle.numChecks + oracle.disk.numChecks,
    events: timeline.count,
    seconds: timeline.now / 1000,
  };
}

/** Until the run is done, or something is wrong. */
async function runToEnd(world: World, limit: number): Promise<void> {
  const { timeline, oracle } = world;
  const failed = (error: unknown) =>
    oracle.violated(`unhandled: ${(error as Error)?.stack ?? String(error)}`);
  process.on('unhandledRejection', failed);
  world.startCoordinator();
  for (const machine of world.machines) timeline.after(0, () => world.startWorker(machine));
  while (!world.isDone && oracle.violations.length === 0) {
    if (timeline.now > limit) oracle.violated(`the run is not done after ${(limit / 1000).toFixed(0)} s`);
    else if (!(await timeline.advance())) oracle.violated('nothing happens any more');
  }
  world.end();
  process.off('unhandledRejection', failed);
}
