import type { Clock } from '../../base/clock.ts';
import type { Emit } from '../../base/fact.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { mountNameOf } from '../../http/mounts.ts';
import type { Backend, Restorer, Want, Watching, WatchListener } from '../backend.ts';
import { createAuthorized } from './auth/authorized.ts';
import type { Session } from './auth/method.ts';
import type { VaultSession } from './auth/session.ts';
import type { VaultClient } from './client/client.ts';
import type { AuthConfig, VaultBackendConfig } from './config/config.ts';
import type { VaultRequest } from './config/request.ts';
import type { VaultEvents } from './events/vault-events.ts';
import { createVaultFetch, type VaultFetch } from './fetch.ts';
import type { InlineFetch } from './inline/open-inline.ts';
import type { VaultCertificateDeps } from './source/certificate-deps.ts';
import { VaultMounts } from './source/mounts.ts';
import { createRenew } from './source/renew.ts';

export interface VaultBackendDeps {
  readonly client: VaultClient;
  readonly session: Session & Pick<VaultSession, 'clockJumped' | 'onDead' | 'resumed' | 'loginToKeep' | 'endsLeases'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /** Loads what fetches without a login; resolves to undefined where that cannot be. Absent: it is not wanted. */
  readonly openInline?: ((source: VaultCertificateDeps) => Promise<InlineFetch | undefined>) | undefined;
  /** Loads what is told of changes. Absent: nothing tells of them. */
  readonly openEvents?: (() => Promise<VaultEvents>) | undefined;
}

/** Makes a backend of a Vault or OpenBao server. It owns `client` and `session`, and disposes of them. */
export function createVaultBackend(
  config: VaultBackendConfig,
  { client, session, clock, random, emit, openInline, openEvents }: VaultBackendDeps,
): Backend {
  const stop = new AbortController();
  const deps: VaultCertificateDeps = {
    vault: createAuthorized(client, session, clock),
    clock,
    random,
    emit,
    stop: stop.signal,
    nextVersion: countVersions(clock),
  };
  const mounts = new VaultMounts(deps.vault, clock, stop.signal);
  const { fetch: fetchLoggedIn, advised, certificates } = createVaultFetch(deps, mounts, config);

  let inline: InlineFetch | undefined;
  let opening: Promise<void> | undefined;
  const fetchInline: VaultFetch['fetch'] = async (want, last, signal) => {
    opening ??= openInline?.(deps).then((opened) => {
      inline = opened;
    });
    await opening;
    return (await inline?.fetch(want, last, signal)) ?? (await fetchLoggedIn(want, last, signal));
  };
  const fetch = openInline === undefined ? fetchLoggedIn : fetchInline;

  const restorer = (want: Want): Restorer | undefined => {
    const request = want.request as VaultRequest;
    if (request.kind !== 'vault-certificate') return undefined;
    return async (fields) => (await certificates()).restore(want, request, fields);
  };

  const watchCertificate = (want: Want, { changed }: WatchListener): Watching | undefined => {
    const request = want.request as VaultRequest;
    if (request.kind !== 'vault-certificate') return undefined;
    const watching = certificates().then((open) => open.watch(want, request, changed));
    return {
      follow: (other) => void watching.then((one) => one.follow?.(other)),
      look: () => void watching.then((one) => one.look?.()),
      [Symbol.dispose]: () => void watching.then((one) => one[Symbol.dispose]()),
    };
  };

  let events: VaultEvents | undefined;
  let openingEvents: Promise<VaultEvents> | undefined;
  const watch = (want: Want, listener: WatchListener): Watching | undefined => {
    const own = watchCertificate(want, listener);
    if (openEvents === undefined) return own;
    // What tells of changes is opened with the first want that is watched: what ends by itself watches none.
    openingEvents ??= openEvents().then((opened) => {
      events = opened;
      return opened;
    });
    const told = openingEvents.then((opened) => opened.watch(want, listener, own));
    return {
      follow: (other) => own?.follow?.(other),
      [Symbol.dispose]: () => void told.then((one) => one[Symbol.dispose]()),
    };
  };

  const renew = createRenew(deps.vault);

  return {
    name: config.name,
    where: config.address,
    source: {
      fetch,
      partOf: ({ request }) => mountNameOf(pathOf(request as VaultRequest)),
      renew: (want, life, signal) => advised(renew(want, life, signal), undefined, signal),
      restorer,
      watch,
      revoke: async (want, old, signal) => (await import('./source/revoke.ts')).revoke(deps.vault, want, old, signal),
    },
    identity: identityOf(config),
    onLoginDead: (listener) => session.onDead(listener),
    loginEndsMonoMs: (loginId) => session.endsMonoMs(loginId),
    onLoginReplacing: (move) => session.onReplacing((next) => move(next.id)),
    circuit: () => client.circuit,
    feed: () => events?.view(),
    trouble: () => inline?.trouble() ?? session.trouble(),
    ...(config.auth.method === 'none' ? {} : { login: () => session.view() }),
    clockJumped: (byMs) => session.clockJumped(byMs),
    resumed: () => session.resumed(),
    loginToKeep: () => session.loginToKeep(),
    revokeLogin: (signal) => session.revoke(signal),
    revokesOnExit: config.auth.revokeOnExit,
    endsLeases: (loginId) => session.endsLeases(loginId),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await (await openingEvents)?.[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

/**
 * Returns a counter of versions. The start time of the process is part of each version, so that no version, and no ETag
 * made of it, comes again after a restart.
 */
export function countVersions(clock: Clock): () => string {
  const run = Math.floor(clock.wallMs()).toString(36);
  let count = 0;
  return () => `${run}-${++count}`;
}

/**
 * Server and login as one text: two backends with equal identities give the same secrets. It holds no credential: files
 * are in it by their paths, a role id by its hash, and a literal token by the name of the backend.
 */
export function identityOf(config: VaultBackendConfig): string {
  const { address, namespace, auth } = config;
  return JSON.stringify(['vault', address, namespace ?? '', auth.method, auth.mount, ...loginOf(auth, config)]);
}

function loginOf(auth: AuthConfig, { name, tls }: VaultBackendConfig): readonly string[] {
  switch (auth.method) {
    case 'kubernetes':
    case 'jwt':
      return [auth.role, auth.tokenFile];
    case 'cert':
      return [auth.role ?? '', tls.certFile ?? ''];
    case 'aws': {
      const { region = '', roleArn = '', sources } = auth.account;
      return [auth.role ?? '', region, roleArn, sources.profile];
    }
    case 'userpass':
    case 'ldap':
      return [auth.username];
    case 'token':
      return auth.tokenFile === undefined ? ['literal', name] : ['file', auth.tokenFile];
    case 'none':
      return [];
    case 'approle':
      return [
        auth.roleId === undefined
          ? ''
          : loadCrypto().createHash('sha256').update(auth.roleId).digest('base64url').slice(0, 16),
        auth.roleIdFile ?? '',
        auth.secretIdFile ?? '',
      ];
  }
}

/** A path of the mount that a request is for. */
function pathOf(request: VaultRequest): string {
  const { kind } = request;
  return kind === 'vault-certificate' || kind === 'vault-trust-bundle' ? request.issuer : request.path;
}
