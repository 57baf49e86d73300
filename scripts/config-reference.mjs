// Writes what is made from the settings' descriptions (shared/config/schema.ts): configs/schema.json and docs/config.md.
// Run it after `npm run build`; a test says when it is due.
import { writeFile } from 'node:fs/promises';
import * as prettier from 'prettier';
import { configJsonSchema, configReference } from '../dist/shared/config/reference.js';

const files = {
  'configs/schema.json': JSON.stringify(configJsonSchema()),
  'docs/config.md': configReference(),
};
for (const [file, text] of Object.entries(files)) {
  const options = await prettier.resolveConfig(file);
  await writeFile(file, await prettier.format(text, { ...options, filepath: file }));
}
