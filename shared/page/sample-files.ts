import { readdir } from 'node:fs/promises';
import type { SamplesView } from './views.js';

/** `step-00000400.png`, `-frames.png` or `.txt` of how they filled in, `-3.wav` of a clip. */
const NAME = /^step-(\d{8,12})(?:-(frames|\d{1,6}))?\.(png|txt|wav)$/;
const MAX_SETS = 100;

/** Whether `name` is one that samples have: then it leads nowhere but into their folder. */
export const isSampleName = (name: string): boolean => NAME.test(name);

/** The samples in a folder, of the newest steps first; none where there is no such folder. */
export async function listSamples(folder: string): Promise<SamplesView[]> {
  const names = await readdir(folder).catch(() => []);
  const sets = new Map<number, { step: number; clips: string[] } & Partial<SamplesView>>();
  for (const name of names.sort()) {
    const [, digits, part, ending] = NAME.exec(name) ?? [];
    if (digits === undefined) continue;
    const step = Number(digits);
    const set = sets.get(step) ?? { step, clips: [] };
    sets.set(step, set);
    if (ending === 'wav') set.clips.push(name);
    else if (part === 'frames') Object.assign(set, { frames: name });
    else if (part === undefined) Object.assign(set, { [ending === 'png' ? 'picture' : 'text']: name });
  }
  return [...sets.values()].sort((a, b) => b.step - a.step).slice(0, MAX_SETS);
}
