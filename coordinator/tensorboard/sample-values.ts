import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeWav } from '../../shared/render/wav.js';
import { audio, image, text, type SummaryValue } from './summary.js';

/** So many clips of a drawing can be listened to. */
const MAX_CLIPS = 10;
/** What is larger would make TensorBoard slow, and is in the run's folder anyway. */
const MAX_BYTES = 8 * 2 ** 20;

/**
 * The files of a drawing of samples, as TensorBoard shows them: the grid or the spectrograms, the texts, the first clips.
 *
 * @param first the file that the event names; the others have its stem
 * @throws the system's error
 */
export async function sampleValues(first: string): Promise<SummaryValue[]> {
  const { dir, name: stem } = path.parse(first);
  const clips = (await readdir(dir))
    .filter((name) => name.startsWith(`${stem}-`) && name.endsWith('.wav'))
    .sort()
    .slice(0, MAX_CLIPS);
  const values: SummaryValue[] = [];
  for (const name of [path.basename(first), ...clips]) {
    const file = path.join(dir, name);
    if ((await stat(file)).size > MAX_BYTES) continue;
    values.push(valueOf(name, stem, await readFile(file)));
  }
  return values;
}

function valueOf(name: string, stem: string, content: Buffer): SummaryValue {
  const { name: base, ext } = path.parse(name);
  if (ext === '.png') return image('samples', content);
  if (ext === '.txt') return text('samples', content.toString());
  const { samples, sampleRate } = decodeWav(content, name);
  return audio(`samples/${base.slice(stem.length + 1)}`, content, sampleRate, samples.length);
}
