import { type Fields, lookUp, plainNumber } from '../../../base/value.ts';
import type { Fetched, RotatingLife } from '../../backend.ts';
import type { AuthorizedAnswer } from '../auth/authorized.ts';
import type { ReadRequest } from '../config/request.ts';
import { equalExcept, type FetchKind, readFields, readLease, settleFetch, type VaultSourceDeps } from './answer.ts';
import { STATIC_ROLE } from './static-role.ts';

/** Reading it makes a new token. https://openbao.org/api-docs/secret/identity/tokens/#generate-a-signed-id-token */
const IDENTITY_TOKEN = /(?:^|\/)identity\/oidc\/token\//;

/** Fields about the rotation of a static role, which change without a change of the password. */
const ROTATION = ['ttl', 'last_vault_rotation', 'rotation_period', 'rotation_schedule', 'rotation_window'];

/** The announced rotation counts down with the clock. When it moved by more than this, the server set it again. */
const MOVED_MS = 2_000;

/**
 * Fetches any path that can be read: `data` becomes the fields. A read may make a new credential
 * (`database/creds/shop`), so the request is never repeated here.
 *
 * The life is the first of these that the answer has: a lease; for a static role
 * (https://openbao.org/api-docs/secret/databases/#get-static-credentials) the time until it rotates, `ttl`, whose
 * countdown is no change; an end that the answer states (`readEnd`). Otherwise there is none, whatever the names of
 * other fields are.
 */
export function createVaultRead({ vault, clock, emit, nextVersion }: VaultSourceDeps): FetchKind<ReadRequest> {
  const told = new Set<string>();
  return async ({ want: { place }, request: { path, end }, last }, signal) => {
    const answer = await vault.call({ method: 'GET', path, place, idempotent: false }, signal);
    const fields = readFields(answer.body, place);
    if (isOfKv2(fields) && !told.has(path)) {
      told.add(path);
      const { isKv2Answer } = await import('./advice.ts');
      emit({ kind: 'agent-warning', warning: isKv2Answer(path, place) });
    }
    const lease = readLease(answer);
    const rotation = lease === undefined && STATIC_ROLE.test(path) ? rotationOf(answer, fields, last) : undefined;
    if (rotation !== undefined) return settleFetch({ last, fields, life: rotation, uncounted: 'ttl' }, nextVersion);
    const mints = end !== undefined || IDENTITY_TOKEN.test(path);
    const ending =
      lease === undefined
        ? (await import('./end.ts')).readEnd(answer, fields, { end, mints, place, clock })
        : undefined;
    const life = lease ?? ending?.life ?? { kind: 'none' };
    return settleFetch({ last, fields, life, uncounted: ending?.countdown }, nextVersion);
  };
}

/** Whether the fields are the envelope of KV version 2, which `kv` takes off. */
function isOfKv2(fields: Fields): boolean {
  return fields.size === 2 && fields.has('data') && lookUp(fields, 'metadata', 'created_time') !== undefined;
}

/**
 * The life of a static role. The server resets `ttl` before it has changed the password, and rotates late when the
 * database is down. So when a rotation was due and the answer still has the old password, `looksInVain` counts up, and
 * the caller asks again soon instead of at the next rotation.
 */
function rotationOf(
  { startedMonoMs }: AuthorizedAnswer,
  fields: Fields,
  last: Fetched | undefined,
): RotatingLife | undefined {
  const seconds = plainNumber(fields.get('ttl'));
  const rotates = fields.has('rotation_period') || fields.has('rotation_schedule');
  if (!rotates || seconds === undefined) return undefined;
  // An overdue rotation has a `ttl` below zero.
  const life = { kind: 'rotates', inMs: Math.max(0, seconds) * 1000, startedMonoMs } as const;
  if (last?.life.kind !== 'rotates' || !equalExcept(last.fields, fields, ROTATION)) return life;
  const { looksInVain = 0 } = last.life;
  const announcedMs = last.life.startedMonoMs + last.life.inMs;
  const wasDue = startedMonoMs >= announcedMs || startedMonoMs + life.inMs > announcedMs + MOVED_MS;
  return looksInVain > 0 || wasDue ? { ...life, looksInVain: looksInVain + 1 } : life;
}
