import type { WriteRequest } from '../config/request.ts';
import { type FetchKind, readFields, readLease, settleFetch, type VaultSourceDeps } from './answer.ts';
import { readEnd } from './end.ts';

/**
 * A write whose answer is the secret (`aws/sts/deploy`, `auth/token/create`): POST with the configured data; fields
 * from `data`, or from `auth` when the answer is a token. Never sent again by itself. Without a lease, and without an
 * end that stands in the answer (`readEnd`), it is written again at each poll, so `refresh` says how often.
 */
export function createVaultWrite({ vault, clock, nextVersion }: VaultSourceDeps): FetchKind<WriteRequest> {
  return async ({ want: { place }, request: { path, data, end }, last }, signal) => {
    const answer = await vault.call({ method: 'POST', path, body: data, place, idempotent: false }, signal);
    const fields = readFields(answer.body, place);
    const lease = readLease(answer);
    const ending = lease === undefined ? readEnd(answer, fields, { end, mints: true, place, clock }) : undefined;
    const life = lease ?? ending?.life ?? { kind: 'none', mints: true };
    return settleFetch({ last, fields, life, uncounted: ending?.countdown }, nextVersion);
  };
}
