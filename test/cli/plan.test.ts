import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { costCurves, sortedStages } from '../../cli/costs.js';
import { costOfPolicy, planJointly, planStages } from '../../shared/method/plan.js';
import { naivePolicy } from '../../shared/method/policy.js';
import { seenComponents } from '../../shared/method/seen-components.js';
import { plotComponents, plotCosts } from '../../shared/render/plot.js';
import { temporaryFolder } from '../data/temporary.js';
import { ardm } from './ardm.js';
import { saveCheckpoint, tinyRun } from './tiny-checkpoint.js';

test('budgets give what planned and equal parts cost, by all steps that were seen', async (t) => {
  const home = await temporaryFolder(t);
  const { components } = await tinyRun(home);
  const { status, stdout, stderr } = await ardm(t, home, 'plan', 'run');
  assert.deepEqual([status, stderr], [0, '']);
  const known = seenComponents(components, 1);
  const sum = known.reduce((a, b) => a + b).toFixed(4);
  const rows = [5, 10, 16].map((budget) => {
    const planned = planStages(known, 1, budget).cost.toFixed(4);
    const equal = costOfPolicy(known, naivePolicy(16, budget)).toFixed(4);
    const [name, calls] = [String(budget).padStart(6), String(budget).padStart(5)];
    return `  ${name}  ${calls}  ${planned.padStart(7)}  ${equal.padStart(11)}\n`;
  });
  assert.equal(
    stdout,
    `tiny, step 3: 13 of 16 steps seen (81.3 %); their sum, the NELBO, is ${sum} bits per dimension\n` +
      `  budget  calls  planned  equal parts\n${rows.join('')}  (bits per dimension)\n`,
  );
  assert.deepEqual(readdirSync(home).toSorted(), ['images', 'run']);
});

test('an upscale model is planned stage by stage and jointly, with a budget for each stage', async (t) => {
  const home = await temporaryFolder(t);
  const { components } = await tinyRun(home, 'upscale');
  writeFileSync(path.join(home, 'mine.json'), '[0, 4, 16, 20, 30]');
  const args = ['run', '--budget', '3', '--budget', '16', '--policy', 'mine.json', '--json'];
  const { stdout } = await ardm(t, home, 'plan', ...args);
  const { budgets, policy, bitsPerDim, stages, steps, seen } = JSON.parse(stdout);
  const known = seenComponents(components, 2);
  assert.deepEqual([stages, steps, seen], [2, 32, 26]);
  const [three, all] = budgets;
  const planned = planStages(known, 2, 3);
  assert.deepEqual(
    { ...three, naive: 0 },
    {
      ...{ budget: 3, calls: 6, planned: planned.cost, joint: planJointly(known, 2, 6).cost, naive: 0 },
      policy: [...planned.policy],
    },
  );
  assert.ok(three.joint <= three.planned && three.planned < three.naive);
  assert.deepEqual(all.policy, [...Array(32).keys()]);
  for (const cost of [all.planned, all.joint, all.naive]) assert.ok(Math.abs(cost - bitsPerDim) < 1e-12);
  const cost = costOfPolicy(sortedStages(known, 2), [0, 4, 16, 20, 30], 2);
  assert.deepEqual(policy, { file: 'mine.json', calls: 5, bitsPerDim: cost });
});

test('noise of the components makes no policy look cheaper than a planned one', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home);
  run.components.forEach((value, step) => (run.components[step] = step === 8 ? 1e-3 : value));
  await saveCheckpoint(run, 4);
  const { stdout } = await ardm(t, home, 'plan', 'run', '--budget', '2', '--json');
  const [{ planned, naive }] = JSON.parse(stdout).budgets;
  assert.ok(planned <= naive, `${planned} and ${naive}`);
});

test('a saved policy is one that sample and eval take', async (t) => {
  const home = await temporaryFolder(t);
  const { components } = await tinyRun(home, 'upscale');
  const known = seenComponents(components, 2);
  for (const [flags, { policy }] of [
    [[], planStages(known, 2, 5)],
    [['--joint'], planJointly(known, 2, 10)],
  ] as const) {
    const { status, stdout } = await ardm(
      t,
      home,
      'plan',
      'run',
      '--budget',
      '5',
      '--save',
      'five.json',
      ...flags,
    );
    assert.equal(status, 0);
    assert.match(stdout, /\nfive\.json\n$/);
    assert.deepEqual(JSON.parse(readFileSync(path.join(home, 'five.json'), 'utf8')), [...policy]);
    const given = ['--budget', '5', '--policy', flags.length > 0 ? 'joint' : 'planned'];
    const png = async (...how: string[]) => {
      const { status, stderr } = await ardm(t, home, 'sample', 'run', '--num', '2', ...how);
      assert.equal(status, 0, stderr);
      return readFileSync(path.join(home, 'tiny-samples.png'));
    };
    assert.deepEqual(await png('--policy', 'five.json'), await png(...given));
  }
  const { stderr } = await ardm(t, home, 'eval', 'run', '--examples', '2', '--policy', 'five.json');
  assert.match(stderr, /2 of 2 network calls/);
});

test('the charts are of the components, the policies, and all budgets', async (t) => {
  const home = await temporaryFolder(t);
  const { components } = await tinyRun(home, 'upscale');
  const args = ['run', '--budget', '4', '--budget', '16', '-o', 'plan.svg', '--costs', 'costs.svg'];
  const { status, stdout } = await ardm(t, home, 'plan', ...args);
  assert.equal(status, 0);
  assert.match(stdout, /\nplan\.svg\ncosts\.svg\n$/);
  const known = seenComponents(components, 2);
  const title = 'tiny, step 3';
  const policies = [{ name: 'planned 4', policy: planStages(known, 2, 4).policy }];
  assert.equal(
    readFileSync(path.join(home, 'plan.svg'), 'utf8'),
    plotComponents({ title, components: known, numStages: 2, policies }),
  );
  const curves = costCurves(sortedStages(known, 2), 2);
  assert.equal(readFileSync(path.join(home, 'costs.svg'), 'utf8'), plotCosts({ title, curves }));
});

test('what can’t be planned ends in one line and leaves no file', async (t) => {
  const home = await temporaryFolder(t);
  const run = await tinyRun(home, 'text');
  writeFileSync(path.join(home, 'p.json'), '[0, 3, 2]');
  const before = readdirSync(home);
  const told: [args: string, status: number, line: RegExp][] = [
    ['nowhere', 1, /nowhere: there is no checkpoint/],
    ['run --budget 13 -o x.svg', 2, /budget of 13 network calls cannot generate 12 variables: give 1 to 12/],
    ['run --save x.json', 2, /--save writes the policy of one budget: give --budget once/],
    ['run --budget 1 --budget 2 --save x.json', 2, /--save writes the policy of one budget/],
    ['run --policy p.json', 2, /p\.json: The policy's call 3 is at step 2, not after call 2 at step 3/],
    ['run -o missing/x.svg', 1, /can't write missing\/x\.svg: ENOENT/],
  ];
  for (const [args, status, line] of told) {
    const result = await ardm(t, home, 'plan', ...args.split(' '));
    assert.deepEqual([result.status, result.stdout], [status, ''], args);
    assert.match(result.stderr, new RegExp(`^ardm: .*${line.source}.*\n$`), args);
  }
  run.components.fill(NaN);
  await saveCheckpoint(run, 4);
  const unseen = await ardm(t, home, 'plan', 'run');
  assert.equal(unseen.status, 2);
  assert.match(unseen.stderr, /^ardm: this run has seen no loss component of stage 1 of 1/);
  assert.deepEqual(readdirSync(home), before);
});

test('a model that generates one variable a call has nothing to plan', async (t) => {
  const home = await temporaryFolder(t);
  await tinyRun(home, 'arm');
  const { status, stderr } = await ardm(t, home, 'plan', 'run');
  assert.equal(status, 2);
  assert.match(stderr, /^ardm: there is nothing to plan: .* always 12 in all\n$/);
});
