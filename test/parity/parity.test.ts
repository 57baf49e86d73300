import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { Engine } from '../../shared/engine/engine.js';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { createReferenceEngine } from '../../shared/engine/reference.js';
import { findCases, readCase } from './cases.js';
import { checkDistribution } from './dist.js';
import { checkPlans } from './dp.js';
import { checkElbo } from './elbo.js';
import { Fixture, FIXTURES } from './fixture.js';
import { checkSmallFunctions } from './misc.js';
import { NotBuilt } from './not-built.js';
import { checkOptimizer } from './opt.js';
import { checkPolicy } from './policy.js';
import { checkSampling } from './sample.js';
import { checkStages } from './stagecond.js';
import { checkTransitions } from './transitions.js';

type Check = (engine: Engine, fixture: Fixture) => void | Promise<void>;

/** By the `kind` of a side-car. */
const CHECKS: Readonly<Record<string, Check>> = {
  elbo: checkElbo,
  dist: checkDistribution,
  opt: checkOptimizer,
  policy: checkPolicy,
  sample: checkSampling,
  misc: (_, fixture) => checkSmallFunctions(fixture),
  dp: (_, fixture) => checkPlans(fixture),
  stagecond: checkStages,
  transitions: (_, fixture) => checkTransitions(fixture),
};

/** Parameters times locations times examples that the plain reference multiplies in some seconds. */
const REFERENCE_WORK = 1e8;

const folder = path.resolve(process.env.ARDM_FIXTURES || FIXTURES);
const names = existsSync(folder) ? findCases(folder) : [];
const onnxruntime = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });
const reference = createReferenceEngine();

if (names.length === 0) test('fixtures', () => assert.fail(`there is no case in ${folder}`));
for (const name of names)
  test(name, async (t) => {
    const leaveOut = (what: string) => t.skip(`not built yet: ${what} (${name})`);
    const given = readCase(folder, name);
    const { kind } = given.sideCar;
    assert.ok(Object.hasOwn(CHECKS, kind), `${name}.json is of the unknown kind ${kind}`);
    const check = CHECKS[kind]!;
    const fixture = new Fixture(given);
    const engines = workOf(fixture) <= REFERENCE_WORK ? [onnxruntime, reference] : [onnxruntime];
    let lacking: string | undefined;
    for (const engine of engines) lacking = await lackingFor(async () => check(engine, fixture));
    if (lacking !== undefined) return leaveOut(lacking);
    for (const tensor of fixture.rest())
      await t.test(tensor, (inner) => inner.skip(`not built yet: ${tensor} (${name})`));
  });

/** The feature that a check ends for, if it is not built. */
async function lackingFor(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof NotBuilt) return error.message;
    throw error;
  }
}

function workOf({ parameters, sideCar }: Fixture): number {
  const { kind, config } = sideCar;
  if (kind === 'dist' || kind === 'stagecond') return 0;
  if (kind !== 'elbo') return Infinity;
  const numParameters = [...parameters.values()].reduce((sum, { length }) => sum + length, 0);
  const locations = config.data_shape.slice(0, Math.max(1, config.data_shape.length - 1));
  return locations.reduce((product, extent) => product * extent, numParameters * config.batch);
}
