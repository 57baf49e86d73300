import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { version as thisVersion } from '../package.js';
import { Damage, reading } from './damage.js';
import { FILES, RESIDUAL_FILE } from './state.js';

export const MANIFEST = 'manifest.json';
const FORMAT = 2;
const MAX_BYTES = 2 ** 20;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ bytes: count, sha256 });

const manifestSchema = z.object({
  /** Of this file and of what lies beside it; its last line, the checksum, is the same in all formats. */
  format: z.literal(FORMAT),
  /** The version of this package that wrote it. */
  version: z.string(),
  /** When it was written: ISO 8601, UTC. */
  time: z.iso.datetime(),
  /** The process that trained up to here. */
  run: z.string(),
  /** Committed steps. */
  step: count,
  /** Training examples that these steps consumed: the order of examples is a function of seed and step, so this is the data's position. */
  examples: count,
  seed: count,
  /** Link of the last committed step: see `nextLink`. */
  chain: z.string(),
  /** Whether one slice gave the same bytes twice on all devices that took part. */
  repeatable: z.boolean(),
  /** Of the parameters' bytes: of the tensors in parameters.safetensors as they lie there, without the file's header. */
  sha256,
  /** [height, width, channels] of an example. */
  shape: z.tuple([count, count, count]).readonly(),
  numClasses: count,
  /** Of a user's own files that it was trained on: see `Dataset`. */
  dataHash: sha256.optional(),
  configHash: z.string(),
  config: z.record(z.string(), z.unknown()),
  files: z.object({
    [FILES.parameters]: file,
    [FILES.firstMoment]: file,
    [FILES.secondMoment]: file,
    [FILES.ema]: file,
    [FILES.components]: file,
    [RESIDUAL_FILE]: file.optional(),
  }),
});

/** What a checkpoint's manifest.json tells. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** Bytes of its files, the manifest aside. */
export const totalBytes = ({ files }: Manifest): number =>
  Object.values(files).reduce((sum, file) => sum + (file?.bytes ?? 0), 0);

/** Writes the manifest of the checkpoint in `folder` and flushes it to the disk. */
export async function writeManifest(
  folder: string,
  fields: Omit<Manifest, 'format' | 'version' | 'time'>,
): Promise<Manifest> {
  const manifest: Manifest = {
    format: FORMAT,
    version: thisVersion,
    time: new Date().toISOString(),
    ...fields,
  };
  const handle = await open(path.join(folder, MANIFEST), 'wx');
  try {
    await handle.writeFile(sealed(JSON.stringify(manifest, undefined, 2)));
    await handle.sync();
  } finally {
    await handle.close();
  }
  return manifest;
}

/**
 * Reads the manifest of the checkpoint in `folder`.
 *
 * @throws Damage where a byte of it was changed or lost
 * @throws UserError where it is of another format
 */
export async function readManifest(folder: string): Promise<Manifest> {
  return reading(MANIFEST, async () => {
    const file = path.join(folder, MANIFEST);
    if ((await stat(file)).size > MAX_BYTES)
      throw new Damage(`${MANIFEST} is longer than ${MAX_BYTES} bytes`);
    const fields = JSON.parse(unsealed(await readFile(file, 'utf8'))) as Manifest;
    const { data, error } = manifestSchema.safeParse(fields);
    if (data) return data;
    const { path: field, message } = error.issues[0]!;
    if (field[0] !== 'format') throw new Damage(`${MANIFEST}: ${field.join('.')}: ${message}`);
    throw new UserError(
      `${folder} is a checkpoint of format ${fields.format}, which ardm ${fields.version} wrote; ` +
        `this is ardm ${thisVersion}, which reads format ${FORMAT}. Use the build of ardm that wrote it`,
    );
  });
}

const checksumOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Adds a last field to a JSON object: the SHA-256 of the object's text as it was. */
function sealed(object: string): string {
  return `${object.slice(0, -2)},\n  "checksum": "${checksumOf(object)}"\n}\n`;
}

function unsealed(text: string): string {
  const [, fields, checksum] = /^(.*),\n {2}"checksum": "(.*)"\n\}\n$/s.exec(text) ?? [];
  if (fields === undefined)
    throw new Damage(`${MANIFEST} is truncated or altered: it doesn't end in its checksum`);
  const object = `${fields}\n}`;
  if (checksumOf(object) !== checksum) throw new Damage(`${MANIFEST} is altered: its checksum is another`);
  return object;
}
