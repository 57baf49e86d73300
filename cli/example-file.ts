import path from 'node:path';
import { encode } from 'fast-png';
import { CompressionError } from '../shared/compression/error.js';
import type { CoverageModel } from '../shared/compression/file-coder.js';
import type { NamedFile } from '../shared/compression/restore.js';
import { samplesOfClasses } from '../shared/data/clips.js';
import { vocabularies } from '../shared/data/vocabulary.js';
import type { Classes } from '../shared/method/classes.js';
import { encodeWav } from '../shared/render/wav.js';

/**
 * One example of a file of many as a file of its own: an image (PNG), a text, or a sound at the model's rate (WAV). What lies outside the file is
 * left out.
 *
 * @param i its number in the file, from 0 on
 * @param absent 1 where a variable lies outside; absent: none does
 * @throws CompressionError where nothing is left
 */
export function exampleFile(
  name: string,
  i: number,
  example: Classes,
  absent: Uint8Array | undefined,
  model: CoverageModel,
): NamedFile {
  const isThere = (v: number): boolean => v >= model.numContext && !absent?.[v];
  const there = example.filter((_, v) => isThere(v));
  if (there.length === 0) throw new CompressionError(`example ${i} of ${name} is empty`);
  const named = (ending: string, bytes: Uint8Array): NamedFile => ({
    name: `${path.parse(name).name}-${i}${ending}`,
    bytes,
  });
  const { medium } = model;
  switch (medium.kind) {
    case 'text':
      return named('.txt', vocabularies[medium.vocabulary].decode(there));
    case 'audio':
      return named('.wav', encodeWav(samplesOfClasses(there), medium.sampleRate));
    case 'image': {
      const [, fullWidth, channels] = model.shape;
      const width = example.subarray(0, fullWidth * channels).filter((_, v) => isThere(v)).length / channels;
      const height = there.length / (width * channels);
      if (!Number.isInteger(height)) throw new CompressionError(`example ${i} of ${name} is no rectangle`);
      const data = Uint8Array.from(there, (x) => Math.round((x * 255) / (model.numClasses - 1)));
      return named('.png', encode({ width, height, channels, depth: 8, data }));
    }
  }
}
