import { stringify } from 'yaml';
import type { Config } from '../shared/config/schema.js';
import { UserError } from '../shared/errors.js';
import { publicConfig } from '../shared/page/public-config.js';
import { bestEvaluation } from './best-evaluation.js';
import type { Observer, RunEvent } from './events.js';
import { Notices } from './notices.js';
import { createTraces, isTracedByEnvironment } from './open-telemetry.js';
import { TensorBoard } from './tensorboard/tensorboard.js';
import { WorkTimes } from './work-times.js';

/** What a run is recorded with beyond its event log and metrics, and who is told of it. */
export interface Trackers {
  readonly observers: readonly Observer[];
  /** Where times by worker are asked for. */
  readonly workTimes?: WorkTimes;
  /** Resolves once all is written and told, in bounded time. */
  close(): Promise<void>;
}

export interface TrackersOptions {
  readonly config: Config;
  /** The run's, and those within it. */
  readonly runFolder: string;
  readonly layout: { readonly events: string; readonly tensorboard: string };
  /** `latest`, `never`, or the path of a checkpoint. */
  readonly resume: string;
  readonly waitingSeconds: () => number | undefined;
  readonly emit: (event: RunEvent) => void;
}

/**
 * Those that the config and the environment ask for.
 *
 * @throws UserError where the config asks for what is not installed
 */
export async function openTrackers(options: TrackersOptions): Promise<Trackers> {
  const { config, runFolder, layout, resume, waitingSeconds, emit } = options;
  const { trackers, notify, name } = config;
  const traces = await openTraces(trackers.otlp, name);
  const tensorboard =
    trackers.tensorboard && new TensorBoard(layout.tensorboard, stringify(publicConfig(config)));
  const isNotified = notify.webhook !== undefined || notify.command !== undefined;
  const notices =
    isNotified &&
    new Notices({
      ...{ settings: notify, name, folder: runFolder, waitingSeconds, emit },
      best: resume === 'never' ? undefined : await bestEvaluation(layout.events),
    });
  return {
    observers: [
      ...(traces ? [traces] : []),
      ...(tensorboard ? [tensorboard.observe] : []),
      ...(notices ? [notices.observe] : []),
    ],
    ...((traces || trackers.timeline) && { workTimes: new WorkTimes() }),
    close: async () => {
      await Promise.all([traces?.close(), tensorboard && tensorboard.close(), notices && notices.close()]);
    },
  };
}

/** An endpoint that is in the environment of everything here is no reason for a run to fail. */
async function openTraces(endpoint: string | undefined, name: string) {
  if (endpoint === undefined && !isTracedByEnvironment(process.env)) return undefined;
  try {
    return await createTraces(endpoint, name);
  } catch (error) {
    if (endpoint !== undefined || !(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}. OTEL_EXPORTER_OTLP_ENDPOINT is left alone until then\n`);
    return undefined;
  }
}
