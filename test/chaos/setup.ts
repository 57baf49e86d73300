import { writeFileSync } from 'node:fs';
import path from 'node:path';

const CONFIG = `
name: chaos
data: { set: text, file: pangrams.txt, vocabulary: text8, length: 16 }
model:
  network: { kind: transformer, layers: 1, width: 16, heads: 2, mlpWidth: 32, dropout: 0.1 }
training: { steps: 1, batch: 16, slices: 8, learningRate: 2.0e-3, ema: 0.9 }
evaluation: { everySteps: 50, examples: 16, batch: 8 }
samples: { count: 0 }
checkpoints: { everySteps: 20, keepLast: 3 }
workers:
  heartbeatSeconds: 0.5
  heartbeatTimeoutSeconds: 3
  stepTimeoutSeconds: 10
  hashEverySteps: 5
  bucketBytes: 4096
`;

/** Puts a config, and the text that it trains on, into a folder; returns the config's path. The model is tiny: messages are most of a step. */
export function writeConfig(home: string): string {
  writeFileSync(path.join(home, 'pangrams.txt'), 'the quick brown fox jumps over the lazy dog '.repeat(120));
  const file = path.join(home, 'chaos.yaml');
  writeFileSync(file, CONFIG);
  return file;
}
