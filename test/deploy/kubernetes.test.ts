import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parseAllDocuments } from 'yaml';
import * as coordinator from '../../coordinator/options.js';
import { packageRoot } from '../../shared/package.js';
import * as worker from '../../worker/options.js';
import { unchecked } from '../support/unchecked.js';
import { isOfTheApi, kubectl, kustomize, problemsOf, type Manifest } from './kubernetes.js';

const FOLDER = path.join(packageRoot, 'deploy/kubernetes');
const OVERLAYS = ['cpu', 'gpu-job', 'gpu-nodes'];

const manifestsIn = (yaml: string) =>
  parseAllDocuments(yaml).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });

/** All manifests as they are written. */
const written = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml') && !/(kustomization|run)\.yaml$/.test(name))
  .flatMap((name) => manifestsIn(readFileSync(path.join(FOLDER, name), 'utf8')));

interface Container {
  readonly command: string[];
  readonly image: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly automountServiceAccountToken: boolean;
}

/** Those of the manifests that start pods. */
const pods = (manifests: readonly Manifest[]) =>
  manifests.flatMap(({ kind, spec }) => {
    const { template } = spec as { template?: { spec: PodSpec } };
    return template ? [{ kind, ...template.spec }] : [];
  });

test('every manifest is what the API takes, field by field', () => {
  const [known, others] = [written.filter(isOfTheApi), written.filter((manifest) => !isOfTheApi(manifest))];
  assert.deepEqual(problemsOf(known), []);
  assert.deepEqual(
    others.map(({ kind }) => kind),
    ['PodMonitor'],
  );
  const misspelt = JSON.parse(
    JSON.stringify(known).replaceAll('livenessProbe', 'livelinessProbe'),
  ) as Manifest[];
  assert.match(problemsOf(misspelt).join(), /livelinessProbe.* does not exist/);
});

test('every pod runs as nobody in particular, may little, and asks for what it takes', () => {
  const found = pods(written);
  assert.deepEqual(found.map(({ kind }) => kind).sort(), ['DaemonSet', 'Deployment', 'Job', 'StatefulSet']);
  for (const { containers, securityContext, automountServiceAccountToken } of found) {
    assert.equal(automountServiceAccountToken, false);
    assert.equal(securityContext.runAsNonRoot, true);
    assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' });
    for (const { image, resources, ...container } of containers) {
      assert.doesNotMatch(image, /:latest$|^[^:]+$/);
      assert.ok(resources.requests && resources.limits.memory);
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  }
});

test('the programs take the arguments that the pods give', () => {
  for (const { containers } of pods(written)) {
    const [program, ...args] = containers[0]!.command;
    const { parseOptions } = program === 'ardm-coord' ? coordinator : worker;
    assert.ok(!('exitCode' in parseOptions(args)));
  }
});

for (const overlay of OVERLAYS) {
  test(`kustomize builds ${overlay}, and policies, services and monitors mean pods that are there`, (t) => {
    if (kubectl === undefined) return unchecked(t, 'kubectl');
    const built = manifestsIn(kustomize(path.join(FOLDER, overlay)));
    assert.deepEqual(problemsOf(built), []);
    const labels = built.flatMap(({ spec = {} }) => {
      const { template } = spec as { template?: { metadata: { labels: Record<string, string> } } };
      return template ? [template.metadata.labels] : [];
    });
    const components = labels.map((each) => each['app.kubernetes.io/component']).sort();
    assert.deepEqual(components, ['coordinator', 'worker']);
    for (const { kind, spec = {} } of built) {
      const { podSelector, selector } = spec as Record<string, { matchLabels?: object } | undefined>;
      const wanted = podSelector?.matchLabels ?? selector?.matchLabels ?? selector ?? {};
      const fits = (each: Record<string, string>) =>
        Object.entries(wanted).every(([key, value]) => each[key] === value);
      assert.ok(labels.some(fits), `${kind}: ${JSON.stringify(wanted)}`);
    }
  });
}
