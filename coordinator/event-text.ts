import { stripVTControlCharacters } from 'node:util';
import type { Colors } from 'picocolors/types.js';
import { count, duration } from '../shared/words.js';
import type { RunEvent } from './events.js';

export { count, duration };

/** The line that tells a person of an event; undefined for those that only move the status. */
export function eventText(event: RunEvent, colors: Colors): string | undefined {
  const { green, yellow, red, cyan, dim } = colors;
  const at = `step ${event.step}:`;
  switch (event.event) {
    case 'start':
      return `training ${event.numParameters.toLocaleString('en')} parameters for ${event.steps} steps of ${event.batch} examples in ${event.slices} slices`;
    case 'listen':
      return `workers join with  ${cyan(`ardm-worker --coordinator ${event.workers}`)}\nlive page          ${cyan(event.http)}`;
    case 'resume':
      return [
        ...event.skipped.map((skipped) => yellow(`passed over ${clean(skipped)}`)),
        `going on from step ${event.step}: ${cyan(event.checkpoint)}`,
      ].join('\n');
    case 'recovered':
      return event.lost === 0
        ? green(`going on from step ${event.step}, with the state of the workers that are back`)
        : yellow(
            `going on from step ${event.step}: no worker brought the ${count(event.lost, 'step')} after it back, they are taken again`,
          );
    case 'journal-failed':
      return red(
        `${at} the commit could not be noted: ${clean(event.reason)}. A restart may have to go back to a checkpoint`,
      );
    case 'join':
      return (
        green(`worker ${event.slot} joined: `) + clean(`pid ${event.pid} on ${event.host}, ${event.device}`)
      );
    case 'leave':
      return (
        yellow(`worker ${event.slot} left: `) +
        clean(
          `${event.reason}; ${count(event.members, 'worker')} ${event.members === 1 ? 'remains' : 'remain'}`,
        )
      );
    case 'restart':
      return yellow(
        clean(
          `local worker ${event.slot} died (${event.reason}) and starts again in ${event.delaySeconds} s, restart ${event.attempt}`,
        ),
      );
    case 'host-restart':
      return yellow(clean(`${event.reason}; once more in ${event.delaySeconds} s, restart ${event.attempt}`));
    case 'host-lost':
      return red(`${event.host} is given up: `) + clean(event.reason);
    case 'redeal':
      return yellow(`${at} ${count(event.slices, 'slice')} dealt again: `) + clean(event.reason);
    case 'nonfinite':
      return red(clean(`${at} worker ${event.slot} found a gradient of ${event.tensor} that is not finite`));
    case 'divergence':
      return red(
        `${at} worker ${event.slot} holds another state than the coordinator and has to fetch it anew`,
      );
    case 'dropped':
      // The other reasons are part of a recovery; metrics and event log have them.
      return event.message === 'hello' ? red(`a worker was refused: ${clean(event.reason)}`) : undefined;
    case 'refused': {
      const others = event.more === 0 ? '' : `; ${event.more} more before it`;
      return red(`a connection was refused: ${clean(event.reason)}${others}`);
    }
    case 'evaluation':
      return `${at} ${event.split} ${event.bitsPerDim.toFixed(4)} ± ${event.standardError.toFixed(4)} bits/dim over ${count(event.examples, 'example')} ${dim(`in ${duration(event.seconds)}`)}`;
    case 'samples':
      return `${at} ${count(event.count, 'sample')}, ${count(event.budget, 'network call')} each: ${cyan(event.path)} ${dim(`in ${duration(event.seconds)}`)}`;
    case 'checkpoint':
      return [
        `${at} checkpoint ${cyan(event.path)} ${dim(`${megabytes(event.bytes)} in ${duration(event.seconds)}`)}`,
        ...event.warnings.map((warning) => yellow(clean(warning))),
      ].join('\n');
    case 'checkpoint-failed':
      return red(`${at} no checkpoint: ${clean(event.reason)}`);
    case 'notice-failed':
      return yellow(
        `${at} the notice "${event.notice}" did not reach the ${event.by}: ${clean(event.reason)}`,
      );
    case 'stopping':
      return yellow(`${event.reason}: saving a checkpoint; once more stops at once`);
    case 'step':
    case 'waiting':
    case 'done':
    case 'failed':
      return undefined;
  }
}

/** Text that a worker may have sent, without what would move a terminal's cursor. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
