import { UserError } from '../errors.js';
import type { KeyPair, WorkerKeys } from './keys.js';

/** Larger than any file of keys. */
export const MAX_KEYS_BYTES = 1 << 20;

const KEY = '[A-Za-z0-9_-]{43}';
const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}';
const COORDINATOR = new RegExp(`^ardm-coordinator (?<secret>${KEY}) (?<public>${KEY})$`);
const WORKER = new RegExp(
  `^ardm-worker (?<name>${NAME}) (?<secret>${KEY}) (?<public>${KEY}) (?<coordinator>${KEY})$`,
);
const ALLOWED = new RegExp(`^ardm-allowed (?<name>${NAME}) (?<public>${KEY})$`);

export const isKeyName = (name: string): boolean => new RegExp(`^${NAME}$`).test(name);

/** The line that a coordinator keeps to itself. */
export const coordinatorLine = ({ secretKey, publicKey }: KeyPair): string =>
  `ardm-coordinator ${secretKey} ${publicKey}\n`;

/** The line that goes to a worker's machine. */
export const workerLine = ({ name, own, coordinator }: WorkerKeys): string =>
  `ardm-worker ${name} ${own.secretKey} ${own.publicKey} ${coordinator}\n`;

/** The line by which a coordinator lets a worker in. Holds no secret. */
export const allowedLine = (name: string, publicKey: string): string => `ardm-allowed ${name} ${publicKey}\n`;

/**
 * Reads a worker's keys.
 *
 * @param where the text stands, for errors, which never quote it
 * @throws UserError
 */
export function parseWorkerKeys(text: string, where: string): WorkerKeys {
  const found = text.length <= MAX_KEYS_BYTES ? WORKER.exec(text.trim())?.groups : undefined;
  if (!found) {
    throw new UserError(
      `${where} holds no keys of a worker: one line "ardm-worker NAME ...", as \`ardm keys add NAME\` writes it into NAME.key`,
    );
  }
  return {
    name: found.name!,
    own: { secretKey: found.secret!, publicKey: found.public! },
    coordinator: found.coordinator!,
  };
}

/**
 * Reads a coordinator's pair and those who may join, whose lines may follow its own.
 *
 * @param where the text stands, for errors, which never quote it
 * @throws UserError
 */
export function parseCoordinatorKeys(
  text: string,
  where: string,
): { own: KeyPair; allowed: ReadonlyMap<string, string> } {
  const [first = '', ...others] = text.length <= MAX_KEYS_BYTES ? text.trim().split(/\s*\n\s*/) : [];
  const found = COORDINATOR.exec(first)?.groups;
  if (!found) {
    throw new UserError(
      `${where} holds no keys of a coordinator: a line "ardm-coordinator ...", as \`ardm keys new\` writes it into coordinator.key`,
    );
  }
  const allowed = new Map<string, string>();
  for (const [nth, line] of others.entries()) {
    const entry = parseAllowed(line);
    if (!entry) throw new UserError(`${where}, line ${nth + 2}: expected "ardm-allowed NAME KEY"`);
    allowed.set(entry.publicKey, entry.name);
  }
  return { own: { secretKey: found.secret!, publicKey: found.public! }, allowed };
}

/** Reads the line of a worker that may join; undefined where it is none. */
export function parseAllowed(text: string): { name: string; publicKey: string } | undefined {
  const found = ALLOWED.exec(text.trim())?.groups;
  return found && { name: found.name!, publicKey: found.public! };
}
