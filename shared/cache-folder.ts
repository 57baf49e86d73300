import { homedir } from 'node:os';
import path from 'node:path';

/** Where fetched data sets and built libraries are kept: $ARDM_CACHE, else $XDG_CACHE_HOME/ardm, else ~/.cache/ardm. */
export function defaultCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ARDM_CACHE) return path.resolve(env.ARDM_CACHE);
  return path.join(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'ardm');
}
