import { readFileSync } from 'node:fs';
import path from 'node:path';
import type * as Api from '@opentelemetry/api';
import type { Attributes, HrTime, Tracer } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { UserError } from '../shared/errors.js';
import { packageRoot, version } from '../shared/package.js';
import { stepTimes, type Stretch } from '../shared/timeline/step-times.js';
import type { Observer, RunEvent } from './events.js';

/** How long spans that are on their way at the end of a run hold it up, at most. */
const CLOSE_MS = 5_000;
/** What happens between two steps is told with the second one; no more of it than this. */
const MAX_BETWEEN = 100;

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the environment, as OpenTelemetry defines it, names a receiver of traces. */
export function isTracedByEnvironment(env: Environment): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = env;
  return Boolean(all || traces) && env.OTEL_SDK_DISABLED !== 'true' && env.OTEL_TRACES_EXPORTER !== 'none';
}

/**
 * A trace a step, with a span for each phase and for each worker's slices, and one of each evaluation, drawing of samples and checkpoint, sent by OTLP over HTTP
 * in the background: a collector that is gone costs spans and is told of once.
 *
 * @param endpoint undefined: what the environment names
 * @throws UserError where OpenTelemetry's packages are not installed
 */
export async function createTraces(
  endpoint: string | undefined,
  name: string,
): Promise<Observer & { close(): Promise<void> }> {
  const { api, sdk, resources, exporter } = await load();
  const { OTLPTraceExporter } = exporter;
  const url = endpoint && `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const provider = new sdk.TracerProvider({
    resource: resources
      .resourceFromAttributes({ 'service.name': 'ardm-coord', 'service.version': version, 'ardm.name': name })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      new sdk.BatchSpanProcessor({ exporter: telling(new OTLPTraceExporter(url ? { url } : {})) }),
    ],
  });
  const observe = createSpans(api, provider.getTracer('ardm', version));
  const close = () =>
    new Promise<void>((resolve) => {
      const limit = setTimeout(() => {
        process.stderr.write('the last traces could not be delivered in time\n');
        resolve();
      }, CLOSE_MS);
      const end = () => {
        clearTimeout(limit);
        resolve();
      };
      // A failure is told by then.
      provider.shutdown().then(end, end);
    });
  return Object.assign(observe, { close });
}

async function load() {
  try {
    const [api, sdk, resources, exporter] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ]);
    return { api, sdk, resources, exporter };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UserError(
      `traces need OpenTelemetry's packages, which are not installed. Install them beside ardm: npm install ${packages().join(' ')}`,
      undefined,
      { cause: error },
    );
  }
}

/** What package.json names, with the versions that this was tested with. */
function packages(): string[] {
  const { peerDependencies } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
    peerDependencies: Record<string, string>;
  };
  return Object.entries(peerDependencies)
    .filter(([name]) => name.startsWith('@opentelemetry/'))
    .map(([name, wanted]) => `${name}@${wanted}`);
}

/** Says once, until it works again, that spans were not delivered. */
function telling(exporter: SpanExporter): SpanExporter {
  let works = true;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== 0 && works)
          process.stderr.write(
            `traces could not be delivered: ${result.error?.message ?? 'no reason was given'}; the run goes on\n`,
          );
        works = result.code === 0;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

function createSpans({ trace, ROOT_CONTEXT }: typeof Api, tracer: Tracer): Observer {
  let between: { name: string; time: number; attributes: Attributes }[] = [];
  let run = '';

  const root = (name: string, begin: number, step: number, attributes: Attributes) =>
    tracer.startSpan(
      name,
      { startTime: hrTime(begin), attributes: { 'ardm.run': run, 'ardm.step': step, ...attributes } },
      ROOT_CONTEXT,
    );
  const step = (event: RunEvent & { event: 'step' }, time: number) => {
    const { begin, phases } = stepTimes(event.seconds, event.phases, time);
    const span = root('step', begin, event.step, {
      'ardm.bits_per_dim': event.bitsPerDim,
      'ardm.gradient_norm': event.gradientNorm,
      'ardm.learning_rate': event.learningRate,
      'ardm.workers': event.members,
    });
    for (const { name, time, attributes } of between) span.addEvent(name, attributes, hrTime(time));
    between = [];
    const within = trace.setSpan(ROOT_CONTEXT, span);
    const child = ({ name, begin, end }: Stretch, attributes: Attributes = {}) =>
      tracer.startSpan(name, { startTime: hrTime(begin), attributes }, within).end(hrTime(end));
    for (const phase of phases) child(phase);
    for (const { slot, begin: first, end, from, to } of event.work ?? []) {
      const stretch = { name: `worker ${slot}`, begin: begin + 1000 * from, end: begin + 1000 * to };
      child(stretch, { 'ardm.slot': slot, 'ardm.slices.begin': first, 'ardm.slices.end': end });
    }
    span.end(hrTime(time));
  };

  return (event, time) => {
    switch (event.event) {
      case 'step':
        return step(event, time);
      case 'evaluation':
      case 'samples':
      case 'checkpoint':
        return root(event.event, time - 1000 * event.seconds, event.step, plain(event)).end(hrTime(time));
      case 'start':
        run = event.run;
    }
    if (between.length < MAX_BETWEEN) between.push({ name: event.event, time, attributes: plain(event) });
  };
}

/** An event's own fields that are attributes as they are. */
function plain({ event: _event, step: _step, ...fields }: RunEvent): Attributes {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
      .map(([name, value]) => [`ardm.${name}`, value as string | number]),
  );
}

/** [seconds, nanoseconds]: a number of milliseconds could be taken for one since the process began. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - 1000 * seconds) * 1e6)];
}
