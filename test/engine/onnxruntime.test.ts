import test from 'node:test';
import { createOnnxruntimeEngine } from '../../shared/engine/onnxruntime.js';
import { checkUnetFixture } from './unet-fixture.js';

const engine = await createOnnxruntimeEngine({ provider: 'cpu', threads: 1 });

for (const name of ['unet-oa-softmax256', 'unet-upscale-direct'])
  test(`onnxruntime agrees with the original on ${name}`, () => checkUnetFixture(engine, name));
