import { createHash } from 'node:crypto';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { tinyUnet } from '../../shared/engine/tiny-unet.js';

/** The hash of the bytes of one training call's outputs and gradients, in direct and Winograd forms. */
export async function hashOfTraining(threads: number): Promise<string> {
  const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads });
  const hash = createHash('sha256');
  for (const channels of [8, 64]) {
    const { program, call } = tinyUnet({ channels });
    const executable = await engine.compile(program);
    const { outputs, gradients, ...rest } = call();
    await executable.run({ outputs, gradients, ...rest });
    await executable.dispose();
    for (const array of [...Object.values(outputs), gradients]) hash.update(new Uint8Array(array.buffer));
  }
  return hash.digest('hex');
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(await hashOfTraining(1));
