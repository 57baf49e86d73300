/** Sections of a config that anyone who sees the page may see; others, such as keys to come, are not served. */
const SHOWN = [
  'name',
  'seed',
  'data',
  'model',
  'training',
  'evaluation',
  'samples',
  'checkpoints',
  'workers',
  'listen',
  'http',
];
const SECRET = /key|secret|token|password|credential/i;

/** A config without what may be secret, whatever it holds. */
export function publicConfig(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return withoutSecrets(
    Object.fromEntries(SHOWN.filter((name) => name in config).map((name) => [name, config[name]])),
  );
}

function withoutSecrets(section: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = Object.entries(section).filter(([name]) => !SECRET.test(name));
  return Object.fromEntries(
    shown.map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? withoutSecrets(value as Record<string, unknown>)
        : value,
    ]),
  );
}
