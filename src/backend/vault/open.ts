import type { Protection } from '../../http/transport.ts';
import type { BackendContext } from '../kind.ts';
import { protectionOf, spreadsFirstOf } from '../protection.ts';
import { createVaultMethod } from './auth/create-method.ts';
import { createNoLogin } from './auth/no-login.ts';
import type { KeptSecretIds } from './auth/secret-id.ts';
import { createSession } from './auth/session.ts';
import { createVaultBackend, identityOf } from './backend.ts';
import { createVaultClient } from './client/create-client.ts';
import type { VaultBackendConfig } from './config/config.ts';
import type { VaultRequest } from './config/request.ts';
import type { VaultCertificateDeps } from './source/certificate-deps.ts';
import type { Upstream, VaultBackend } from './upstream.ts';

/**
 * Opens the client of a server, and the way to log in there; `method` is undefined when there is none. Nothing is sent;
 * the caller disposes of the client.
 */
export function openVaultClient(config: VaultBackendConfig, context: BackendContext, protection?: Protection) {
  const { clock, emit, env, version, tracing } = context;
  const client = createVaultClient({ config, clock, emit, env, version, tracing, protection });
  const { name, auth } = config;
  const deps = { client, clock, emit, env, kept: keptSecretIds(context.kept) };
  const method = auth.method === 'none' ? undefined : createVaultMethod({ name, auth }, deps);
  return { client, method };
}

/** Opens a backend with its own connections and its own login. */
export function openVaultBackend(config: VaultBackendConfig, context: BackendContext): VaultBackend {
  const { clock, random, emit, env, version, tracing } = context;
  const protection = protectionOf(config, context);
  const { client, method } = openVaultClient(config, context, protection);
  const { revokeOnExit } = config.auth;
  const { takeLogin } = context;
  const earlier = takeLogin === undefined ? undefined : () => takeLogin(config.name, identityOf(config));
  const spreadsFirst = spreadsFirstOf(config);
  const once = { earlier, spreadsFirst };
  const session =
    method === undefined
      ? createNoLogin()
      : createSession({ method, client, clock, random, emit, tracing, revokeOnExit, backend: config.name, ...once });
  const { askedOnce } = context;
  const openInline =
    config.auth.inline === undefined || askedOnce === undefined || method === undefined
      ? undefined
      : async (source: VaultCertificateDeps) => {
          const { canBeInline, openInline } = await import('./inline/index.ts');
          const isSpared = askedOnce(config.name).every((request) => canBeInline(request as VaultRequest));
          return isSpared ? openInline({ client, method, config, source }) : undefined;
        };
  const { events } = config;
  const openEvents =
    events === undefined
      ? undefined
      : async () => {
          const { VaultEvents } = await import('./events/vault-events.ts');
          return new VaultEvents({ config: { ...config, events }, client, clock, random, emit, env, version });
        };
  const backend = createVaultBackend(config, { client, session, clock, random, emit, openInline, openEvents });
  let upstream: Promise<Upstream> | undefined;
  return {
    ...backend,
    spreadsFirst,
    onRecovered: protection.onRecovered,
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

/** Loads the code of the upstream, which only a proxy needs. */
async function openUpstream(...args: Parameters<typeof import('./create-upstream.ts').createVaultUpstream>) {
  return (await import('./create-upstream.ts')).createVaultUpstream(...args);
}

/** The secret ids that backends of this kind keep in memory; one map for all of them, whose keys name the files. */
function keptSecretIds(kept: BackendContext['kept']): KeptSecretIds {
  const known = kept.get('vault.secretIds') as KeptSecretIds | undefined;
  if (known !== undefined) return known;
  const none: KeptSecretIds = new Map();
  kept.set('vault.secretIds', none);
  return none;
}
