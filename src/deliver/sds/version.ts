import { loadCrypto } from '../../base/node-crypto.ts';
import type { SecretBody } from './secret-message.ts';

const LENGTH = 32;

/**
 * The version of a secret by its content: equal content has an equal version, so a client that comes back with it is
 * sent nothing.
 *
 * Clients show versions to people, so a version must not help to guess a value. That of a certificate or a trust bundle
 * is a hash of what is public in it, and outlives a restart of the agent; every other one is made with a key that only
 * this process has.
 */
export function versionOf(body: SecretBody, key: Uint8Array): string {
  const { createHash, createHmac } = loadCrypto();
  switch (body.kind) {
    case 'certificate':
      return createHash('sha256').update(body.chain).digest('hex').slice(0, LENGTH);
    case 'trust': {
      const { authorities, crl, names, maxDepth, crlOfLeafOnly } = body;
      const hash = createHash('sha256').update(authorities).update('\0');
      if (crl !== undefined) hash.update(crl);
      return hash
        .update(JSON.stringify([names, maxDepth, crlOfLeafOnly]))
        .digest('hex')
        .slice(0, LENGTH);
    }
    case 'generic':
      return createHmac('sha256', key).update(body.secret).digest('hex').slice(0, LENGTH);
    case 'generic-map': {
      const hmac = createHmac('sha256', key);
      const entries = [...body.secrets].sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [name, value] of entries) hmac.update(`${JSON.stringify(name)}:${value.length}:`).update(value);
      return hmac.digest('hex').slice(0, LENGTH);
    }
    case 'session-tickets': {
      const hmac = createHmac('sha256', key);
      for (const one of body.keys) hmac.update(one);
      return hmac.digest('hex').slice(0, LENGTH);
    }
  }
}

/** The version of several secrets together, each given as its name and version. */
export function versionOfAll(versions: readonly (readonly [name: string, version: string])[]): string {
  const [first] = versions;
  if (first !== undefined && versions.length === 1) return first[1];
  const sorted = [...versions].sort(([a], [b]) => (a < b ? -1 : 1));
  return loadCrypto().createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, LENGTH);
}
