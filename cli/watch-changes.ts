import type { RunChange, RunStatus } from '../shared/page/views.js';

/** Three signs of life are missing. */
const SILENCE_MS = 50_000;

/** What a coordinator's event stream tells beyond `runs`, until it ends, falls silent or `signal` aborts. */
export async function* watchChanges(
  url: string,
  runs: readonly RunStatus[],
  signal: AbortSignal,
): AsyncGenerator<RunChange[]> {
  const from = runs.map(({ id, progress: { step } }) => `${id}.${step}`).join('-');
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  signal.addEventListener('abort', leave);
  const timer = setTimeout(leave, SILENCE_MS);
  try {
    const answer = await fetch(new URL(`/api/stream?from=${from}`, url), { signal: leaving.signal });
    const text = new TextDecoder();
    let rest = '';
    for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
      timer.refresh();
      const messages = (rest + text.decode(bytes, { stream: true })).split('\n\n');
      rest = messages.pop()!;
      for (const message of messages) {
        const [, data] = /^data: (.*)$/m.exec(message) ?? [];
        if (data !== undefined) yield JSON.parse(data) as RunChange[];
      }
    }
  } catch {
    // Cut off: whoever watches sees that it is over.
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    leaving.abort();
  }
}
