import { createExactEngine, type ExactExecutable } from '../../shared/engine/exact.js';
import { sha256 } from '../../shared/engine/exact-runtime.js';
import { sizeOf } from '../../shared/engine/program.js';
import { numbers } from '../../shared/engine/tiny-unet.js';
import { drawOrder } from '../../shared/method/orders.js';
import { ModelInputs } from '../../shared/model/inputs.js';
import { outputsProgram } from '../../shared/model/program.js';
import { PURPOSE, stream } from '../../shared/random/philox.js';
import { tinyModelOf } from '../model/tiny-model.js';

/** What this process prints, as JSON: the hash of each network's graph and of its outputs. */
export type ExactReport = Readonly<Record<string, { readonly graph: string; readonly outputs: string }>>;

const BATCH = 2;
const MODELS = {
  unet: tinyModelOf(
    { network: { kind: 'unet', channels: 16, multipliers: [1, 2], blocks: 1, groups: 4 } },
    { shape: [8, 8, 3], numClasses: 40 },
  ),
  transformer: tinyModelOf(
    { network: { kind: 'transformer', layers: 2, width: 32, heads: 4, mlpWidth: 64 } },
    { shape: [1, 24, 1], numClasses: 28 },
  ),
  diffwave: tinyModelOf(
    { network: { kind: 'diffwave', channels: 16, blocks: 3, dilationCycle: 3 } },
    { shape: [1, 50, 1], numClasses: 256 },
  ),
};

const engine = await createExactEngine();
const report: Record<string, ExactReport[string]> = {};
for (const [name, { description, config }] of Object.entries(MODELS)) {
  const program = outputsProgram(description, config, BATCH);
  const executable = (await engine.compile(program)) as ExactExecutable;
  const inputs = new ModelInputs(description, config, program);
  const { numPositions, numClasses } = description;
  for (let row = 0; row < BATCH; row++) {
    const random = stream(row, PURPOSE.sample);
    const [height, width, channels] = description.shape;
    const classes = Int32Array.from({ length: height * width * channels }, () => random.below(numClasses));
    inputs.setState(row, classes, drawOrder(random, numPositions), 3 * row + 1);
  }
  const outputs = new Float32Array(sizeOf(program.outputs[0]!.shape));
  // Initial parameters are drawn with Math.log, which differs between machines.
  const parameters = numbers(description.numParameters, 1).map((value) => value / 4);
  await executable.run({ parameters, inputs: inputs.arrays, outputs: { outputs } });
  if (!outputs.every(Number.isFinite)) throw new Error(`${name}: outputs are not finite`);
  report[name] = { graph: executable.graphHash, outputs: sha256(outputs) };
}
console.log(JSON.stringify(report));
