import { fail } from '../../base/errors.ts';
import type { Fetch, Fetched, Want } from '../backend.ts';
import { isNoMount, VaultStatusError } from './client/client.ts';
import type { VaultBackendConfig } from './config/config.ts';
import type { VaultRequest } from './config/request.ts';
import type { Advisor, AdvisorDeps } from './source/advice.ts';
import type { VaultCertificates } from './source/certificate.ts';
import type { VaultCertificateDeps } from './source/certificate-deps.ts';
import { createVaultKv } from './source/kv.ts';
import { createVaultList } from './source/list.ts';
import { saysVersioned, type VaultMounts } from './source/mounts.ts';
import { createVaultRead } from './source/read.ts';
import { createVaultWrite } from './source/write.ts';

/** Fetches what any request asks for. */
export interface VaultFetch {
  /** A refusal comes with advice about it. */
  fetch(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch>;
  /** Passes an answer on, and a refusal with advice about it. Without a request, a lease was to be renewed. */
  advised<T>(answer: Promise<T>, request: VaultRequest | undefined, signal: AbortSignal): Promise<T>;
  advisor(): Promise<Advisor>;
  certificates(): Promise<VaultCertificates>;
}

/** Makes what fetches from one server; `mounts` are its mounts. */
export function createVaultFetch(
  deps: VaultCertificateDeps,
  mounts: VaultMounts,
  { namespace, auth }: Pick<VaultBackendConfig, 'namespace' | 'auth'>,
): VaultFetch {
  const kv = createVaultKv(deps, mounts);
  const list = createVaultList(deps, mounts);
  const read = createVaultRead(deps);
  const write = createVaultWrite(deps);
  let loading: Promise<VaultCertificates> | undefined;
  const certificates = () => {
    loading ??= openCertificates(deps);
    return loading;
  };
  let advisor: Promise<Advisor> | undefined;

  const fetch: VaultFetch['fetch'] = async (want, last, signal) => {
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

  const made: VaultFetch = {
    fetch: (want, last, signal) => made.advised(fetch(want, last, signal), want.request as VaultRequest, signal),
    async advised(answer, request, signal) {
      try {
        return await answer;
      } catch (error) {
        if (!deservesAdvice(error, request) || (request !== undefined && 'isPathPrivate' in request)) throw error;
        const found = await made.advisor().catch(() => undefined);
        throw (await found?.about({ error, request, isVersioned: saysVersioned(error) }, signal)) ?? error;
      }
    },
    advisor: () => {
      advisor ??= loadAdvisor({ vault: deps.vault, clock: deps.clock, namespace, isLent: auth.method === 'none' });
      return advisor;
    },
    certificates,
  };
  return made;
}

/** Loads the code of certificates, which few agents need. */
async function openCertificates(deps: VaultCertificateDeps): Promise<VaultCertificates> {
  return (await import('./source/certificate.ts')).createVaultCertificates(deps);
}

/**
 * Whether a policy or a mount is missing, or the mount has another version of KV, with other paths; the token itself is
 * good.
 */
function deservesAdvice(error: unknown, request: VaultRequest | undefined): error is VaultStatusError {
  if (!(error instanceof VaultStatusError)) return false;
  if (error.status === 403) return error.failure.retry !== 'login';
  const isVersionSaid = request?.kind === 'vault-kv' && request.kvVersion !== undefined;
  return error.status === 404 && (isNoMount(error) || saysVersioned(error) || isVersionSaid);
}

/** Loads the code of the advice, which only refused requests need. */
async function loadAdvisor(deps: AdvisorDeps): Promise<Advisor> {
  return new (await import('./source/advice.ts')).Advisor(deps);
}
