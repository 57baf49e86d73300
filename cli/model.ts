import { setImmediate } from 'node:timers/promises';
import { openCheckpoint, type TrainedModel } from '../shared/checkpoint/open.js';
import type { Engine } from '../shared/engine/engine.js';
import { describeModel, type ModelDescription } from '../shared/model/description.js';

/** A trained model, and what follows from its config. */
export interface OpenedModel {
  readonly trained: TrainedModel;
  readonly description: ModelDescription;
}

/** Opens the newest good checkpoint of a run, or the one that is named; tells on stderr which were passed over. */
export async function openModel(run: string): Promise<OpenedModel> {
  const trained = await openCheckpoint(run);
  for (const line of trained.skipped) console.error(`passed over ${line}`);
  return {
    trained,
    description: describeModel(trained.config.model, {
      ...trained,
      numContext: trained.config.data.context,
    }),
  };
}

/** An engine that before each network call lets signals in and stops where one came, and after each tells so. */
export function watched(engine: Engine, signal: AbortSignal, onCall: () => void): Engine {
  return {
    ...engine,
    async compile(program) {
      const executable = await engine.compile(program);
      return {
        program,
        async run(call) {
          // Engines compute without a turn of the event loop, which is where signals are heard.
          await setImmediate();
          signal.throwIfAborted();
          await executable.run(call);
          onCall();
        },
        dispose: () => executable.dispose(),
      };
    },
  };
}
