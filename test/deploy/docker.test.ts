import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import * as coordinator from '../../coordinator/options.js';
import { packageRoot } from '../../shared/package.js';
import * as worker from '../../worker/options.js';
import { imageOf, problemsIn } from './dockerfile.js';

const FOLDER = path.join(packageRoot, 'deploy/docker');
const dockerfiles = readdirSync(FOLDER).filter((name) => name.endsWith('.Dockerfile'));
const read = (name: string) => readFileSync(path.join(FOLDER, name), 'utf8');

test('the Dockerfiles take exact versions, leave nothing behind, and run as nobody in particular', () => {
  assert.deepEqual(dockerfiles.sort(), ['cpu.Dockerfile', 'cuda.Dockerfile']);
  for (const name of dockerfiles) {
    assert.deepEqual(problemsIn(read(name)), [], name);
    const image = imageOf(read(name));
    const last = (instruction: string) => image.findLast((each) => each.name === instruction)?.rest;
    assert.equal(last('USER'), '1000:1000', name);
    assert.match(last('HEALTHCHECK')!, /healthz\.mjs/, name);
  }
});

test('what is wrong with a Dockerfile is found', () => {
  const text = `FROM node:latest AS build
ADD https://example.org/x /x
RUN apt-get update && \\
    apt-get install -y git
FROM build
CMD node x.js`;
  assert.deepEqual(
    problemsIn(text).map((problem) => problem.split(': ').at(-1)),
    [
      'node:latest is no exact version',
      'COPY does',
      'installs recommendations',
      'leaves lists behind',
      'a shell keeps signals to itself',
    ],
  );
});

test('all that the Dockerfiles copy and run of the project is there, and not kept out of the context', () => {
  const ignored = readFileSync(path.join(packageRoot, '.dockerignore'), 'utf8').split('\n');
  for (const name of dockerfiles) {
    const paths = read(name).match(/(?<=^COPY )(?!--from)[^\n]*|(?<=\s)scripts\/[\w.-]+/gm)!;
    for (const file of paths.flatMap((words) => words.split(' ').slice(0, words.includes(' ') ? -1 : 1))) {
      assert.ok(existsSync(path.join(packageRoot, file)), `${name}: ${file}`);
      assert.ok(!ignored.includes(file), `${name}: ${file}`);
    }
  }
});

interface Service {
  readonly command?: readonly string[];
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: { readonly scrape: { readonly content: string } };
}

const compose = parse(read('compose.yaml'), { merge: true }) as Compose;

test('the services of compose.yaml build, mount and wait for what is there', () => {
  const { services, volumes } = compose;
  assert.deepEqual(Object.keys(services).sort(), [
    ...['coordinator', 'grafana', 'keys', 'prometheus', 'worker', 'worker-gpu'],
  ]);
  for (const [name, service] of Object.entries(services)) {
    assert.match(service.image, /^ardm:(cpu|cuda)$|:v?\d+\.\d+\.\d+$/, name);
    if (service.build) {
      const context = path.resolve(FOLDER, service.build.context);
      assert.equal(context, packageRoot);
      assert.ok(existsSync(path.join(context, service.build.dockerfile)));
    }
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(':') as [string];
      assert.ok(
        source.startsWith('.') ? existsSync(path.resolve(FOLDER, source)) : source in volumes,
        volume,
      );
    }
    const others = service.depends_on ?? [];
    for (const other of Array.isArray(others) ? others : Object.keys(others)) assert.ok(other in services);
  }
});

test('the programs take the arguments that compose.yaml gives', () => {
  for (const name of ['coordinator', 'worker', 'worker-gpu']) {
    const [program, ...args] = compose.services[name]!.command!;
    const given = args.map((argument) => argument.replace('${CONFIG:-mnist.yaml}', 'mnist.yaml'));
    const { parseOptions } = program === 'ardm-coord' ? coordinator : worker;
    assert.ok(!('exitCode' in parseOptions(given)), name);
  }
});

test('Prometheus scrapes the coordinator as the job that alerts and dashboards look for', () => {
  const scrape = parse(compose.configs.scrape.content) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
  };
  const [job] = scrape.scrape_configs;
  assert.deepEqual([job!.job_name, job!.static_configs[0]!.targets], ['ardm', ['coordinator:9464']]);
});

test('the health check tells a coordinator that answers from one that does not', async () => {
  const check = (port: number) =>
    new Promise<number | null>((resolve) => {
      const script = read('healthz.mjs').replace(':9464/', `:${port}/`);
      spawn(process.execPath, ['--input-type=module', '-e', script]).once('exit', resolve);
    });
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    response.end('ok\n');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  assert.equal(await check(port), 0);
  assert.deepEqual(paths, ['/healthz']);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await check(port), 1);
});
