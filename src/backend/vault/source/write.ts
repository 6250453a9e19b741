import type { WriteRequest } from '../config/request.ts';
import { type FetchKind, readFields, readLease, settleFetch, type VaultSourceDeps } from './answer.ts';

/**
 * Fetches a secret that is the answer to a write (`aws/sts/deploy`, `auth/token/create`): POST with the configured
 * data. The fields come from `data`, or from `auth` when the answer is a token. The request is never repeated here.
 * When the answer has no lease and states no end (`readEnd`), each poll writes again, as often as `refresh` says.
 */
export function createVaultWrite({ vault, clock, nextVersion }: VaultSourceDeps): FetchKind<WriteRequest> {
  return async ({ want: { place }, request: { path, data, end }, last }, signal) => {
    const answer = await vault.call({ method: 'POST', path, body: data, place, idempotent: false }, signal);
    const fields = readFields(answer.body, place);
    const lease = readLease(answer);
    const ending =
      lease === undefined
        ? (await import('./end.ts')).readEnd(answer, fields, { end, mints: true, place, clock })
        : undefined;
    const life = lease ?? ending?.life ?? { kind: 'none', mints: true };
    return settleFetch({ last, fields, life, uncounted: ending?.countdown }, nextVersion);
  };
}
