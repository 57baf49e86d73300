import { UserError } from '../errors.js';
import { SafetensorsError } from './safetensors.js';

/** Why a checkpoint can't be used; the message names the file in it. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

/** Runs what reads the file called `name`; what is wrong with that file becomes Damage. */
export async function reading<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SafetensorsError || error instanceof SyntaxError) {
      throw new Damage(`${name}: ${error.message}`, { cause: error });
    }
    const { code, errno, message } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    const what = code === 'ENOENT' ? 'is missing' : `can't be read: ${message}`;
    throw new Damage(`${name} ${what}`, { cause: error });
  }
}

/** What to do about a single checkpoint that can't be used. */
export function damagedError(checkpoint: string, damage: Damage): UserError {
  return new UserError(
    `${checkpoint}: ${damage.message}. Restore it from a copy, or name its run's folder: then the newest good checkpoint is taken`,
    undefined,
    { cause: damage },
  );
}
