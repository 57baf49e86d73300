import { candidates } from '../../shared/engine/candidates.js';
import { checkModelFixture, MODEL_CASES } from './model-fixture.js';

/** What this process prints, as JSON: of each case how the numbers of WebGPU are not the original's; null where they are. */
export type OriginalReport = Readonly<Record<(typeof MODEL_CASES)[number], string | null>>;

const webgpu = candidates.find(({ provider }) => provider === 'webgpu')!;
const engine = await webgpu.start({ gpu: 0, threads: 1, software: true });
const report: Record<string, string | null> = {};
for (const name of MODEL_CASES) {
  report[name] = await checkModelFixture(engine, name).then(
    () => null,
    (error: unknown) => String(error),
  );
}
console.log(JSON.stringify(report));
