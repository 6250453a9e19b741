import type { Clock } from '../../base/clock.ts';
import { fail } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import type { Backend, Fetch, Fetched, Restorer, Want, Watching } from '../backend.ts';
import { createAuthorized } from './auth/authorized.ts';
import type { Session } from './auth/method.ts';
import type { VaultSession } from './auth/session.ts';
import { isNoMount, type VaultClient, VaultStatusError } from './client/client.ts';
import type { AuthConfig, VaultBackendConfig } from './config/config.ts';
import type { VaultRequest } from './config/request.ts';
import type { Advisor, AdvisorDeps } from './source/advice.ts';
import type { VaultCertificates } from './source/certificate.ts';
import type { VaultCertificateDeps } from './source/certificate-deps.ts';
import { createVaultKv } from './source/kv.ts';
import { createVaultList } from './source/list.ts';
import { saysVersioned, VaultMounts } from './source/mounts.ts';
import { createVaultRead } from './source/read.ts';
import { createRenew } from './source/renew.ts';
import { createVaultWrite } from './source/write.ts';

export interface VaultBackendDeps {
  readonly client: VaultClient;
  readonly session: Session & Pick<VaultSession, 'clockJumped' | 'onDead'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
}

/** Makes a backend of a Vault or OpenBao server. It owns `client` and `session`, and disposes of them. */
export function createVaultBackend(
  config: VaultBackendConfig,
  { client, session, clock, random, emit }: VaultBackendDeps,
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
  const kv = createVaultKv(deps, mounts);
  const list = createVaultList(deps, mounts);
  const read = createVaultRead(deps);
  const write = createVaultWrite(deps);
  let loading: Promise<VaultCertificates> | undefined;
  const certificates = () => {
    loading ??= openCertificates(deps);
    return loading;
  };

  const fetch = async (want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> => {
    const request = want.request as VaultRequest;
    switch (request.kind) {
      case 'vault-kv':
        return kv({ want, request, last }, signal);
      case 'vault-list':
        return list({ want, request, last }, signal);
      case 'vault-read':
        return read({ want, request, last }, signal);
      case 'vault-write':
        return write({ want, request, last }, signal);
      case 'vault-certificate':
        return (await certificates()).fetch({ want, request, last }, signal);
      case 'vault-trust-bundle': {
        const { createVaultTrustBundle } = await import('./source/trust-bundle.ts');
        return await createVaultTrustBundle(deps)({ want, request, last }, signal);
      }
      default:
        throw fail('INTERNAL', want.place, `a Vault backend got a request of kind ${want.request.kind}`);
    }
  };

  const restorer = (want: Want): Restorer | undefined => {
    const request = want.request as VaultRequest;
    if (request.kind !== 'vault-certificate') return undefined;
    return async (fields) => (await certificates()).restore(want, request, fields);
  };

  const watch = (want: Want, changed: () => void): Watching | undefined => {
    const request = want.request as VaultRequest;
    if (request.kind !== 'vault-certificate') return undefined;
    const watching = certificates().then((open) => open.watch(want, request, changed));
    return {
      follow: (other) => void watching.then((one) => one.follow?.(other)),
      [Symbol.dispose]: () => void watching.then((one) => one[Symbol.dispose]()),
    };
  };

  const renew = createRenew(deps.vault);

  let advisor: Promise<Advisor> | undefined;
  /** Passes an answer on, and a refusal with advice about it. Without a request, a lease was to be renewed. */
  const advised = async <T>(answer: Promise<T>, request: VaultRequest | undefined, signal: AbortSignal): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (!deservesAdvice(error) || (request !== undefined && 'isPathPrivate' in request)) throw error;
      advisor ??= loadAdvisor({ vault: deps.vault, clock, namespace: config.namespace });
      const found = await advisor.catch(() => undefined);
      throw (await found?.about({ error, request, isVersioned: saysVersioned(error) }, signal)) ?? error;
    }
  };

  return {
    name: config.name,
    where: config.address,
    source: {
      fetch: (want, last, signal) => advised(fetch(want, last, signal), want.request as VaultRequest, signal),
      renew: (want, life, signal) => advised(renew(want, life, signal), undefined, signal),
      restorer,
      watch,
    },
    identity: identityOf(config),
    onLoginDead: (listener) => session.onDead(listener),
    loginEndsMonoMs: (loginId) => session.endsMonoMs(loginId),
    onLoginReplacing: (move) => session.onReplacing((next) => move(next.id)),
    trouble: () => session.trouble(),
    login: () => session.view(),
    clockJumped: (byMs) => session.clockJumped(byMs),
    revokeLogin: (signal) => session.revoke(signal),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await session[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

/** Loads the code of certificates, which few agents need. */
async function openCertificates(deps: VaultCertificateDeps): Promise<VaultCertificates> {
  return (await import('./source/certificate.ts')).createVaultCertificates(deps);
}

/** Whether a policy or a mount is missing, or the mount is KV version 2 with other paths; the token itself is good. */
function deservesAdvice(error: unknown): error is VaultStatusError {
  if (!(error instanceof VaultStatusError)) return false;
  return error.status === 403
    ? error.failure.retry !== 'login'
    : error.status === 404 && (isNoMount(error) || saysVersioned(error));
}

/** Loads the code of the advice, which only refused requests need. */
async function loadAdvisor(deps: AdvisorDeps): Promise<Advisor> {
  return new (await import('./source/advice.ts')).Advisor(deps);
}

/**
 * Returns a counter of versions. The start time of the process is part of each version, so that no version, and no ETag
 * made of it, comes again after a restart.
 */
function countVersions(clock: Clock): () => string {
  const run = Math.floor(clock.wallMs()).toString(36);
  let count = 0;
  return () => `${run}-${++count}`;
}

/**
 * Server and login as one text: two backends with equal identities give the same secrets. It holds no credential: files
 * are in it by their paths, a role id by its hash, and a literal token by the name of the backend.
 */
function identityOf(config: VaultBackendConfig): string {
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
