import { expect } from 'vitest';
import { createVaultMethod } from '../../../../src/backend/vault/auth/create-method.ts';
import type { KeptSecretIds } from '../../../../src/backend/vault/auth/secret-id.ts';
import type { LoginConfig } from '../../../../src/backend/vault/config/config.ts';
import { PannierError } from '../../../../src/base/errors.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { FakeClock } from '../../../fake-clock.ts';
import { FakeVault } from './fake-vault.ts';

/** The part of the configuration that all logins have. */
export const common = { revokeOnExit: false };

/** The `auth` of an answer. */
export const auth = { client_token: 'made', lease_duration: 60, renewable: true, num_uses: 0 };

/** A configured login over a fake server. */
export function methodOf(config: LoginConfig, client = new FakeVault(), kept: KeptSecretIds = new Map()) {
  const facts: Fact[] = [];
  const clock = new FakeClock();
  const method = createVaultMethod(
    { name: 'bao', auth: config },
    { client, clock, kept, env: {}, emit: (fact) => void facts.push(fact) },
  );
  return { client, clock, kept, facts, logIn: () => method.login(new AbortController().signal) };
}

/** The failure of a login. */
export async function failureOf(logIn: () => Promise<unknown>) {
  const error: unknown = await logIn().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PannierError);
  return (error as PannierError).failure;
}

const sent = (value: unknown) => (value instanceof Secret ? value.exposeText('backend') : value);

/** The body of the last call, its secrets as text. */
export const bodyOf = (client: FakeVault) =>
  Object.fromEntries(Object.entries(client.calls.at(-1)?.body ?? {}).map(([key, value]) => [key, sent(value)]));
