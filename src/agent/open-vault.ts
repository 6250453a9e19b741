import { createSession } from '../auth/session.ts';
import { createVaultMethod } from '../auth/vault.ts';
import { createVaultClient } from '../client/vault.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import type { Backend } from '../source/source.ts';
import type { Upstream } from '../source/upstream.ts';
import { createVaultBackend } from '../source/vault.ts';
import type { Opening } from './registry.ts';

/** A Vault or OpenBao server with its own connections and its own login. */
export function openVaultBackend(config: VaultBackendConfig, around: Opening): Backend {
  const { clock, random, emit, env, version, kept } = around;
  const client = createVaultClient({ config, clock, emit, env, version });
  const method = createVaultMethod(config, { client, clock, emit, env, kept });
  const { revokeOnExit } = config.auth;
  const session = createSession({ method, client, clock, random, emit, revokeOnExit, backend: config.name });
  const backend = createVaultBackend(config, { client, session, clock });
  let upstream: Promise<Upstream> | undefined;
  return {
    ...backend,
    upstream: () => {
      upstream ??= openUpstream(config, { client, session, clock, env });
      return upstream;
    },
    async [Symbol.asyncDispose]() {
      await (await upstream)?.[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** Its code is loaded when there is a proxy. */
async function openUpstream(...args: Parameters<typeof import('../source/vault-upstream.ts').createVaultUpstream>) {
  return (await import('../source/vault-upstream.ts')).createVaultUpstream(...args);
}
