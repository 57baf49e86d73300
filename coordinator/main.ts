import { describeRun } from '../shared/config/describe.js';
import { loadConfig } from '../shared/config/load.js';
import { EXIT } from '../shared/errors.js';
import type { Observer } from './events.js';
import { parseOptions } from './options.js';
import { createProgress } from './progress.js';
import { run, runLayout } from './run.js';
