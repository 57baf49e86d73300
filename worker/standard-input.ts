import { createInterface } from 'node:readline';
import { EXIT, UserError } from '../shared/errors.js';
import { leaveAtOnce } from '../shared/leave-at-once.js';

const WAIT_MS = 30_000;

/**
 * Takes the first line of standard input for ARDM_KEYS, unless it is empty. From then on this process ends when its input does:
 * when whoever started it, perhaps over a network, is gone.
 *
 * @throws UserError where no line comes
 */
export async function takeKeysFromInput(): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new UserError(`--stdin: no line came from standard input in ${WAIT_MS / 1000} s`)),
      WAIT_MS,
    );
    lines.once('line', (text) => {
      clearTimeout(timer);
      resolve(text);
    });
    lines.once('close', () => leaveAtOnce(EXIT.failure));
  });
  if (line !== '') process.env.ARDM_KEYS = line;
}
