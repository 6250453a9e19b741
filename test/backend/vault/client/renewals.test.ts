import { expect, it } from 'vitest';
import { createVaultClient } from '../../../../src/backend/vault/client/create-client.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { type Answerer, reply, startFaultServer } from '../../../faults/fault-server.ts';

it('no two renewals are equal, so that no cache of Vault Agent answers one by another', async () => {
  const ids: (string | undefined)[] = [];
  const answer: Answerer = (asked, socket) => {
    ids.push(asked.headers['x-request-id']);
    reply(200, '{}')(asked, socket);
  };
  await using server = await startFaultServer(answer);
  const config = {
    kind: 'vault',
    name: 'bao',
    address: server.address,
    tls: { skipVerify: false },
    timeoutMs: 5_000,
    auth: { method: 'none', mount: '', revokeOnExit: false },
  } as const;
  await using client = createVaultClient({ config, clock: systemClock, emit: () => {}, env: {} });
  const { signal } = new AbortController();
  for (const path of ['sys/leases/renew', 'sys/leases/renew', 'auth/token/renew-self', 'auth/token/renew-self']) {
    const body = { lease_id: 'a', increment: 30 };
    await client.call({ method: 'PUT', path, body, place: 'secrets.db', idempotent: true }, signal);
  }
  expect(ids.every((id) => /^[0-9a-f-]{36}$/.test(id ?? ''))).toBe(true);
  expect(new Set(ids).size).toBe(4);
  await client.call({ method: 'GET', path: 'secret/data/a', place: 'secrets.a', idempotent: true }, signal);
  expect(ids.at(-1)).toBeUndefined();
});
