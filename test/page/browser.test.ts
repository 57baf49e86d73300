import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { decode } from 'fast-png';
import { encodeGrid } from '../../shared/render/grid.js';
import { encodeWav } from '../../shared/render/wav.js';
import { tinyRun } from '../cli/tiny-checkpoint.js';
import { temporaryFolder } from '../data/temporary.js';
import { Browser } from './browser.js';
import { join, line, log, servePage, START, stepLine, stepLines } from './made-up-run.js';

const HOSTILE = '<img src=x onerror=alert(1)>';

/** A run with all that a page can show: curves, samples with frames, a checkpoint, hostile text. */
async function fullRun(t: TestContext): Promise<string> {
  const { folder } = await tinyRun(await temporaryFolder(t));
  const evaluation = line('evaluation', 40, {
    bitsPerDim: 1.5,
    standardError: 0.02,
    examples: 9,
    seconds: 1,
  });
  log(folder, line('start', 0, START), join(0), ...stepLines(1, 40), evaluation);
  log(folder, line('redeal', 40, { slices: 1, reason: HOSTILE }));
  const samples = path.join(folder, 'samples');
  mkdirSync(samples);
  const grey = (count: number) => Uint8Array.from({ length: count * 16 }, (_, i) => (i >> 4) * 20);
  writeFileSync(path.join(samples, 'step-00000040.png'), encodeGrid(grey(4), [4, 4, 1], 256, 2));
  writeFileSync(path.join(samples, 'step-00000040-frames.png'), encodeGrid(grey(12), [4, 4, 1], 256, 3));
  writeFileSync(path.join(samples, 'step-00000020.txt'), `--- 1 of 1 ---\n${HOSTILE}\n`);
  writeFileSync(path.join(samples, 'step-00000010-0.wav'), encodeWav(new Int16Array(1000), 8000));
  return folder;
}

test('the page shows a run and follows it, with nothing from elsewhere', async (t) => {
  const folder = await fullRun(t);
  const live = { config: { name: HOSTILE, training: { steps: 100 } }, members: () => [] };
  const url = await servePage(t, [folder], live);
  const tab = await (await Browser.start(t)).open(url);
  await tab.until(`document.querySelector('#facts')?.innerText.includes('40 of 100')`);
  assert.equal(await tab.text('#state'), 'training');
  assert.equal(await tab.text('#name'), HOSTILE);
  assert.match(await tab.text('#event-rows'), /redeal\s+slices 1, reason <img/);
  assert.match(await tab.text('#config'), /training:\n {2}steps: 100/);
  await tab.until(`document.querySelector('#components-plot').naturalWidth > 0`);
  assert.ok(await tab.evaluate(`document.querySelectorAll('#bits-chart canvas').length === 1`));
  assert.match(await tab.text('#phase-legend'), /compute 300 ms \(60.0 %\)/);

  log(folder, stepLine(41), line('waiting', 41, { reason: '0 of at least 1 worker ready' }));
  await tab.until(`document.querySelector('#facts').innerText.includes('41 of 100')`);
  await tab.until(`document.querySelector('#state').innerText === 'waiting'`);
  await tab.until(`document.querySelector('#event-rows').innerText.includes('waiting')`);
  assert.match(await tab.text('#worker-rows'), /waits|0 of at least 1 worker ready|joined/);
  assert.deepEqual(tab.problems, []);
  assert.ok(
    tab.requests.every((request) => request.startsWith(url)),
    tab.requests.join(' '),
  );
});

test('samples are seen, heard and seen to fill in', async (t) => {
  const tab = await (await Browser.start(t)).open(await servePage(t, [await fullRun(t)]));
  await tab.until(`document.querySelector('.grid-picture')?.naturalWidth > 0`);
  // The second of two rows and columns: in the middle of the fourth sample.
  await tab.click('.grid-picture');
  await tab.until(`document.querySelector('#film').open && document.querySelector('#film canvas')`);
  await tab.until(`document.querySelector('#film-at').innerText === '3 of 3'`);
  const grey = await tab.evaluate<number[]>(
    `[...document.querySelector('#film canvas').getContext('2d').getImageData(5, 5, 1, 1).data]`,
  );
  assert.equal(
    grey[0],
    ((Number(await tab.evaluate(`document.querySelector('#film-sample').value`)) - 1) * 3 + 2) * 20,
  );
  await tab.press('Escape', 'Escape', 27);
  await tab.until(`!document.querySelector('#film').open`);

  const choose = (step: number) =>
    tab.evaluate(`{
      const choice = document.querySelector('#sample-step');
      choice.value = '${step}';
      choice.dispatchEvent(new Event('change'));
    }`);
  await choose(20);
  await tab.until(`document.querySelector('.sample-text')?.innerText.includes('onerror')`);
  await choose(10);
  await tab.evaluate(`document.querySelector('audio').load()`);
  await tab.evaluate(`document.querySelector('audio').preload = 'auto'`);
  await tab.until(`document.querySelector('audio').duration === 0.125`);
  assert.deepEqual(tab.problems, []);
});

test('it is usable by keyboard and screen reader, on a phone and in the dark', async (t) => {
  const url = await servePage(t, [await fullRun(t)]);
  const browser = await Browser.start(t);
  const phone = await browser.open(url, { width: 390, dark: true });
  await phone.until(`document.querySelector('#facts div')`);
  assert.ok((await phone.evaluate<number>(`document.documentElement.scrollWidth`)) <= 390);
  const { width, height, data, channels } = decode(await phone.screenshot());
  assert.ok(width === 390 && height > 390);
  assert.ok(data[0]! < 60 && data[channels]! < 60, 'the corner is dark');

  const told = await phone.accessible();
  const has = (role: string, name: RegExp) => told.some((each) => each.role === role && name.test(each.name));
  for (const region of [
    /^Progress/,
    /^Learning/,
    /^Samples/,
    /^Workers/,
    /^Checkpoints/,
    /^Events/,
    /^Config/,
  ])
    assert.ok(has('region', region), `${region}`);
  assert.ok(has('main', /^/) && has('banner', /^/) && has('progressbar', /Committed steps/));
  assert.ok(
    told
      .filter(({ role }) => ['button', 'combobox', 'image', 'link'].includes(role))
      .every(({ name }) => name !== ''),
  );
  await phone.press('Tab', 'Tab', 9);
  assert.equal(await phone.evaluate(`document.activeElement.innerText`), 'To the run');
});

test('several runs are drawn over one another, and one of them is looked at', async (t) => {
  const home = await temporaryFolder(t);
  const folders = ['first', 'second'].map((name) => path.join(home, name));
  folders.forEach((folder, i) => log(folder, line('start', 0, START), ...stepLines(1, 10 + i)));
  const tab = await (await Browser.start(t)).open(await servePage(t, folders));
  await tab.until(`document.querySelectorAll('#bits-chart .u-series').length === 5`);
  assert.match(await tab.text('#bits-chart .u-legend'), /first train[^]*second test/);
  await tab.evaluate(`{
    const run = document.querySelector('#run');
    run.value = '1';
    run.dispatchEvent(new Event('change'));
  }`);
  assert.equal(await tab.text('#name'), 'second');
  assert.match(await tab.text('#facts'), /11 of 100/);
  assert.deepEqual(tab.problems, []);
});

test('a run that has only begun, and one whose folder is gone, leave a page that says so', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'run');
  log(folder, line('start', 0, START));
  const tab = await (await Browser.start(t)).open(await servePage(t, [folder]));
  await tab.until(`document.querySelector('#bits-chart')?.innerText === 'Nothing to draw yet.'`);
  assert.match(await tab.text('#sample-view'), /no samples yet/);
  rmSync(folder, { recursive: true });
  await tab.evaluate(`location.reload()`);
  await tab.until(`document.querySelector('#facts div')`);
  assert.deepEqual(tab.problems, []);
});
