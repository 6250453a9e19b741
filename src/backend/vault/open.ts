import type { VaultBackendConfig } from '../../config/config.ts';
import type { Backend } from '../backend.ts';
import type { Opening } from '../registry.ts';
import { createVaultMethod } from './auth/create-method.ts';
import { createSession } from './auth/session.ts';
import { createVaultBackend } from './backend.ts';
import { createVaultClient } from './client/create-client.ts';
import type { Upstream } from './upstream.ts';

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
async function openUpstream(...args: Parameters<typeof import('./create-upstream.ts').createVaultUpstream>) {
  return (await import('./create-upstream.ts')).createVaultUpstream(...args);
}
