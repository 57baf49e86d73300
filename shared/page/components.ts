import path from 'node:path';
import { configSchema, type Config } from '../config/schema.js';
import { listCheckpoints } from '../checkpoint/folder.js';
import { readManifest, type Manifest } from '../checkpoint/manifest.js';
import { FILES, tensorsOf } from '../checkpoint/state.js';
import { readTensors, verifyTensors } from '../checkpoint/tensor-file.js';
import { planStages } from '../method/plan.js';
import { naivePolicy } from '../method/policy.js';
import { hasSeenEveryStage, seenComponents } from '../method/seen-components.js';
import { describeModel } from '../model/description.js';
import { plotComponents } from '../render/plot.js';
import type { ComponentsView } from './views.js';

const MAX_ROWS = 16;

/** The newest checkpoint in a folder whose manifest is whole. */
export interface NewestManifest {
  readonly path: string;
  readonly manifest: Manifest;
}

/** Undefined where there is none. */
export async function newestManifest(folder: string): Promise<NewestManifest | undefined> {
  for (const entry of await listCheckpoints(folder).catch(() => [])) {
    try {
      return { path: entry.path, manifest: await readManifest(entry.path) };
    } catch {
      // Damaged, pruned meanwhile, or of another version: an older one may do.
    }
  }
  return undefined;
}

/** The loss by generation step and the policy that samples are drawn with now. */
export interface Components {
  readonly svg: string;
  readonly view: ComponentsView;
}

/** Undefined where the model has a stage that training has not seen yet, or generates one variable a call anyway. */
export async function readComponents({
  path: folder,
  manifest,
}: NewestManifest): Promise<Components | undefined> {
  const { data: config } = configSchema.safeParse(manifest.config);
  if (!config) return undefined;
  const { shape, numClasses, step } = manifest;
  const { numPositions, numStages, networkShape } = describeModel(config.model, {
    ...{ shape, numClasses, numContext: config.data.context },
  });
  if (networkShape.factorization !== 'any-order') return undefined;
  const values = await load(folder, manifest);
  if (!hasSeenEveryStage(values, numStages)) return undefined;
  const components = seenComponents(values, numStages);
  const policy = {
    name: config.samples.policy,
    steps: policyOf(config, components, numPositions, numStages),
  };
  const checkpoint = path.basename(folder);
  const title = `${config.name}, step ${step}`;
  const policies = [{ name: policy.name, policy: policy.steps }];
  return {
    svg: plotComponents({ title, components, numStages, policies }),
    view: {
      checkpoint,
      policy: { name: policy.name, calls: policy.steps.length },
      rows: rowsOf(components, policy.steps, components.length / numStages),
    },
  };
}

async function load(folder: string, manifest: Manifest): Promise<Float64Array> {
  const file = path.join(folder, FILES.components);
  const [tensor] = await verifyTensors(file, manifest.files[FILES.components]!);
  const numSteps = tensor?.shape[0] ?? 0;
  const values = new Float64Array(numSteps);
  await readTensors(file, tensorsOf('components', { parameters: [], numSteps }), values);
  return values;
}

function policyOf(
  { samples: { policy, budget } }: Config,
  components: Float64Array,
  numPositions: number,
  numStages: number,
): Int32Array {
  const calls = Math.min(budget ?? numPositions, numPositions);
  return policy === 'planned'
    ? planStages(components, numStages, calls).policy
    : naivePolicy(numPositions, calls, numStages);
}

function rowsOf(components: Float64Array, policy: Int32Array, stageSteps: number): ComponentsView['rows'] {
  const numRows = Math.min(MAX_ROWS, components.length);
  return Array.from({ length: numRows }, (_, row) => {
    const first = Math.floor((row * components.length) / numRows);
    const end = Math.floor(((row + 1) * components.length) / numRows);
    const sum = components.subarray(first, end).reduce((a, b) => a + b, 0);
    const calls = policy.filter((step) => step >= first && step < end).length;
    return { first, last: end - 1, bitsPerVariable: (sum * stageSteps) / (end - first), calls };
  });
}
