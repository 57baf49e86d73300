import { generateKeyPairSync } from 'node:crypto';
import { z85 } from './z85.js';

/** A Curve25519 pair for ZeroMQ's CURVE; 32 bytes each, as base64url, which no shell, YAML or Compose file takes apart. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** What a worker needs: its own pair, and the key by which it knows the coordinator. */
export interface WorkerKeys {
  readonly name: string;
  readonly own: KeyPair;
  readonly coordinator: string;
}

/** What a coordinator needs: its own pair, and who may join. */
export interface CoordinatorKeys {
  readonly own: KeyPair;
  /** The name of the worker with this public key; undefined: it may not join. May change while the coordinator runs. */
  nameOf(publicKey: string): string | undefined;
}

export function createPair(): KeyPair {
  const { x, d } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: x!, secretKey: d! };
}

/** A key as ZeroMQ's options take it. */
export const curveKey = (key: string): string => z85(Buffer.from(key, 'base64url'));

/** The socket options of a coordinator, whose clients are checked by a ZAP handler. */
export function coordinatorCurve({ own }: Pick<CoordinatorKeys, 'own'>) {
  return {
    curveServer: true,
    curvePublicKey: curveKey(own.publicKey),
    curveSecretKey: curveKey(own.secretKey),
  };
}

/** The socket options of a worker. */
export function workerCurve({ own, coordinator }: Pick<WorkerKeys, 'own' | 'coordinator'>) {
  return {
    curveServerKey: curveKey(coordinator),
    curvePublicKey: curveKey(own.publicKey),
    curveSecretKey: curveKey(own.secretKey),
  };
}

/** The worker keys, and the coordinator's that let them in, of a run's own local workers: they end with it. */
export function withLocalWorkers(keys: CoordinatorKeys): { keys: CoordinatorKeys; local: WorkerKeys } {
  const own = createPair();
  return {
    keys: {
      own: keys.own,
      nameOf: (publicKey) => (publicKey === own.publicKey ? 'local' : keys.nameOf(publicKey)),
    },
    local: { name: 'local', own, coordinator: keys.own.publicKey },
  };
}
