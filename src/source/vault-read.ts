import type { AuthorizedAnswer } from '../auth/authorized.ts';
import { type Fields, plainNumber } from '../base/value.ts';
import type { SecretRequest } from '../config/config.ts';
import type { Life } from './source.ts';
import { type FetchKind, readFields, readLease, settleFetch, type VaultTools } from './vault-answer.ts';

type ReadRequest = Extract<SecretRequest, { kind: 'vault-read' }>;

/** `database/static-creds/shop`, `ldap/static-cred/shop`. */
const STATIC_ROLE = /(?:^|\/)static-creds?\//;

/**
 * Any readable path: `data` becomes the fields. Reading may mint (`database/creds/shop`), so it is never sent again by
 * itself.
 *
 * Its life, in this order: the lease; for a static role (https://openbao.org/api-docs/secret/databases/#get-static-credentials)
 * the time until it rotates, `ttl`, which counts down and is no change; else none, whatever other fields are named.
 */
export function createVaultRead({ vault, nextVersion }: VaultTools): FetchKind<ReadRequest> {
  return async ({ want: { place }, request: { path }, last }, signal) => {
    const answer = await vault.call({ method: 'GET', path, place, idempotent: false }, signal);
    const fields = readFields(answer.body, place);
    const life = readLife(answer, path, fields);
    const uncounted = life.kind === 'rotates' ? { uncounted: 'ttl' } : {};
    return settleFetch({ last, fields, life, ...uncounted }, nextVersion);
  };
}

function readLife(answer: AuthorizedAnswer, path: string, fields: Fields): Life {
  const lease = readLease(answer);
  if (lease !== undefined) return lease;
  const seconds = plainNumber(fields.get('ttl'));
  const rotates = fields.has('rotation_period') || fields.has('rotation_schedule');
  if (!STATIC_ROLE.test(path) || !rotates || seconds === undefined || seconds < 0) return { kind: 'none' };
  return { kind: 'rotates', inMs: seconds * 1000, startedMonoMs: answer.startedMonoMs };
}
