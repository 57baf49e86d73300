import { configSchema, type Config } from './schema.js';

/** Whoever knows an address to post to can post to it, and a command line may hold a token: these are told to nobody. */
const SECRET: readonly (keyof Config['notify'])[] = ['webhook', 'command'];

/** Whether what is set at a path holds a secret. */
export function isSecret([group, key]: readonly PropertyKey[]): boolean {
  return group === 'notify' && (key === undefined || SECRET.some((secret) => secret === key));
}

/** A config for a person's eyes: `hidden`, which is no valid value, stands for each secret that is set. */
export function withSecretsHidden(config: Config): Config {
  const hidden = SECRET.filter((key) => config.notify[key] !== undefined).map((key) => [key, 'hidden']);
  return { ...config, notify: { ...config.notify, ...Object.fromEntries(hidden) } };
}

/** A config that may be stored and sent to workers: nobody else gives notice. */
export function withoutNotices(config: Config): Config {
  return { ...config, notify: configSchema.shape.notify.parse(undefined) };
}
