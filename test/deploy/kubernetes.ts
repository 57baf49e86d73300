import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { defaultCacheFolder } from '../../shared/cache-folder.js';
import { packageRoot } from '../../shared/package.js';

/** An object of Kubernetes' API. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: unknown;
}

const installed = path.join(defaultCacheFolder(), 'kubectl/kubectl');

/** A kubectl with kustomize: the machine's own, or that of scripts/ci-install.sh; undefined where there is none. */
export const kubectl = [installed, 'kubectl'].find(
  (program) => spawnSync(program, ['version', '--client']).status === 0,
);

/** What `kubectl kustomize` makes of a folder, as YAML. */
export function kustomize(folder: string): string {
  return execFileSync(kubectl!, ['kustomize', folder], { encoding: 'utf8' });
}

/** Whether the API has objects of this version and kind. */
export const isOfTheApi = ({ apiVersion, kind }: Manifest): boolean =>
  existsSync(path.join(packageRoot, 'node_modules/kubernetes-models', apiVersion, `${kind}.d.ts`));

/** What the types of Kubernetes' API have against objects: fields that there aren't, values of another kind, what is missing. */
export function problemsOf(manifests: readonly Manifest[]): string[] {
  const file = path.join(packageRoot, 'test/deploy/manifests.ts');
  const source = manifests.map(
    (manifest, i) =>
      `import type { I${manifest.kind} as T${i} } from 'kubernetes-models/${manifest.apiVersion}/${manifest.kind}';
const o${i}: T${i} = ${JSON.stringify(manifest)};`,
  );
  const options: ts.CompilerOptions = {
    ...{ noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022 },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source.join('\n') : readFile(name));
  host.getSourceFile = (name, version) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
