import assert from 'node:assert/strict';
import test from 'node:test';
import { Meter } from '../../cli/meter.js';

/** A meter over 20 things, whose clock the test moves; `written` is what it wrote. */
function measure(isTTY: boolean) {
  const written: string[] = [];
  let now = 0;
  const meter = new Meter('images', 20, { isTTY, write: (text) => written.push(text) }, () => now);
  return {
    written,
    at: (seconds: number, done: number) => ((now = seconds * 1000), meter.update(done)),
    meter,
  };
}

test('a terminal sees one line that is rewritten, with rate and time left', () => {
  const { written, at } = measure(true);
  at(1, 0);
  at(2, 5);
  at(2.05, 6);
  at(4000, 19.5);
  at(4001, 20);
  assert.deepEqual(written, [
    '\r\x1b[2K0 of 20 images, 0.00/s, ? left',
    '\r\x1b[2K5 of 20 images, 2.50/s, 6 s left',
    '\r\x1b[2K19 of 20 images, 0.00487/s, 1 min 43 s left',
    '\r\x1b[2K20 of 20 images, 0.00500/s in 1.1 h\n',
  ]);
});

test('elsewhere there is a line every ten seconds and one at the end', () => {
  const { written, at } = measure(false);
  for (let second = 1; second <= 20; second++) at(second, second);
  assert.deepEqual(written, ['10 of 20 images, 1.00/s, 10 s left\n', '20 of 20 images, 1.00/s in 20 s\n']);
});

test('a line that is left unfinished is ended, once, so that what follows begins on its own', () => {
  const { written, at, meter } = measure(true);
  meter.close();
  at(1, 5);
  meter.close();
  meter.close();
  assert.deepEqual(written.slice(1), ['\n']);
  at(2, 20);
  meter.close();
  assert.equal(written.length, 3);
});
