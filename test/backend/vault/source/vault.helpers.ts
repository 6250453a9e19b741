import type { Fetch, Fetched, Want } from '../../../../src/backend/backend.ts';
import type { LiveLogin } from '../../../../src/backend/vault/auth/method.ts';
import { createVaultBackend, type VaultBackendDeps } from '../../../../src/backend/vault/backend.ts';
import type { VaultBackendConfig } from '../../../../src/backend/vault/config/config.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { isFields, isList, isSecret, type Value } from '../../../../src/base/value.ts';
import type { SecretRequest } from '../../../../src/config/config.ts';
import { FakeClock } from '../../../fake-clock.ts';
import { FakeVault } from '../auth/fake-vault.ts';

export const config: VaultBackendConfig = {
  kind: 'vault',
  name: 'bao',
  address: 'https://bao.test:8200',
  tls: { skipVerify: false },
  timeoutMs: 10_000,
  auth: { method: 'kubernetes', mount: 'kubernetes', role: 'shop', tokenFile: '/token', revokeOnExit: false },
};

export function wantOf(request: SecretRequest, place = 'secrets.a'): Want {
  return { id: place, backend: 'bao', request, place, refreshMs: 300_000, optional: false };
}

export const never = new AbortController().signal;

/** A session that is always logged in, as login 7. */
export function constantSession(): VaultBackendDeps['session'] {
  const token = Secret.text('token');
  const life = { ttlMs: 'forever', renewable: false, usesLeft: 'unlimited', startedMonoMs: 0 } as const;
  const login: LiveLogin = { token, accessor: undefined, ...life, id: 7, endsMonoMs: Number.POSITIVE_INFINITY };
  return {
    start: () => {},
    currentNow: () => undefined,
    current: async () => login,
    settled: async () => {},
    suspect: async () => 'alive',
    names: () => false,
    endsMonoMs: () => Number.POSITIVE_INFINITY,
    onReplacing: () => ({ [Symbol.dispose]() {} }),
    trouble: () => undefined,
    view: () => ({ method: 'token', state: 'live', isUsable: true, endsMonoMs: undefined, nextMonoMs: undefined }),
    revoke: async () => {},
    resumed: async () => undefined,
    loginToKeep: () => undefined,
    endsLeases: () => true,
    clockJumped() {},
    onDead: () => ({ [Symbol.dispose]() {} }),
    async [Symbol.asyncDispose]() {},
  };
}

/** A backend over a fake client, and helpers that fetch from it. */
export function sourceWorld(wallMs?: number, random = 0.5) {
  const clock = new FakeClock(wallMs);
  const server = new FakeVault();
  const facts: Fact[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const backend = createVaultBackend(config, {
    client: server,
    session: constantSession(),
    clock,
    random: () => random,
    emit,
  });
  const fetch = (request: SecretRequest, last?: Fetched, place?: string): Promise<Fetch> =>
    backend.source.fetch(wantOf(request, place), last, never);
  return {
    clock,
    facts,
    server,
    backend,
    fetch,
    kv: (path: string, more: object = {}, last?: Fetched) => fetch({ kind: 'vault-kv', path, ...more }, last),
    paths: () => server.calls.map(({ path }) => path),
  };
}

export function held(fetched: Fetch): Fetched {
  if (fetched.state !== 'changed') throw new Error('unchanged');
  return fetched.value;
}

/** Fields as plain data, for comparison. */
export function plain(value: Value): unknown {
  if (isSecret(value)) return value.exposeText('file');
  if (isList(value)) return value.map(plain);
  return isFields(value) ? Object.fromEntries([...value].map(([name, field]) => [name, plain(field)])) : undefined;
}

export async function failureOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { failure?: { code: string; hint: string; seen: string; place: string } } | undefined)?.failure;
}
