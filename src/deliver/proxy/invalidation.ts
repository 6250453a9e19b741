import { digestOf } from './cache-key.ts';
import type { UpstreamRequest } from './exchange.ts';
import { textMembers } from './json-object.ts';
import { hasAccessor, hasLeaseId, hasToken } from './lease-entry.ts';
import { fullPath } from './namespace.ts';
import type { ProxyCache } from './proxy-cache.ts';

const READS = new Set(['GET', 'HEAD', 'LIST', 'SCAN', 'OPTIONS']);

/** Paths where the body says which token or lease is revoked or renewed. */
const NAMED_IN_BODY =
  /(?:^|\/)(?:auth\/token\/(?:revoke|revoke-orphan|revoke-accessor|renew|renew-accessor)|sys\/(?:leases\/)?(?:revoke|renew))$/;

/** Whether `invalidationOf` needs the body of a request. */
export function invalidationNeedsBody({ path }: UpstreamRequest['asked']): boolean {
  return NAMED_IN_BODY.test(path);
}

/** The effect of a request on kept answers. */
export interface Invalidation {
  /** Called before the request is sent: the server may act on it from then on. */
  begin(): void;
  /** Called when the answer has begun, before the client gets it, or when there will be none. */
  end(isDone: boolean): void;
}

/**
 * How a request invalidates kept answers; undefined: it cannot. A write invalidates reads of its path, whatever becomes
 * of the request. A revocation, a renewal or an unmount changes leases and tokens when the server has done it:
 * https://openbao.org/api-docs/auth/token/, https://openbao.org/api-docs/system/leases/
 */
export function invalidationOf(
  outgoing: UpstreamRequest,
  namespace: string,
  cache: ProxyCache,
): Invalidation | undefined {
  const { asked, caller } = outgoing;
  if (READS.has(asked.method)) return undefined;
  const path = fullPath(namespace, asked.path);
  const invalidateReads = () => cache.kv.invalidate(path);
  const applyToLeases = effectOnLeases(path, caller === 'client' ? asked.token : undefined, outgoing.body, cache);
  return {
    begin: invalidateReads,
    end: (isDone) => {
      invalidateReads();
      if (isDone) applyToLeases?.();
    },
  };
}

/** What a request does to kept leases and tokens once the server has done it; undefined: nothing. */
function effectOnLeases(
  path: string,
  token: string | undefined,
  body: UpstreamRequest['body'],
  cache: ProxyCache,
): (() => void) | undefined {
  const { leases } = cache;
  const found = /^(?:(.*)\/)?(auth\/token|sys)\/(.+)$/.exec(path);
  if (found === null) return undefined;
  const [, namespace = '', where, what = ''] = found;
  const member = (key: string) => (body instanceof Uint8Array ? textMembers(body)?.(key) : undefined);
  if (where === 'auth/token') {
    switch (what) {
      case 'revoke':
        return () => leases.dropIf(hasToken(member('token')));
      case 'revoke-self':
        return () => leases.dropIf(hasToken(token));
      case 'revoke-accessor':
        return () => leases.dropIf(hasAccessor(member('accessor')));
      case 'revoke-orphan':
        return () => {
          leases.orphanChildrenOf(digestOf(member('token') ?? ''));
          leases.dropIf(hasToken(member('token')));
        };
      case 'renew':
        return () => leases.renewSoon(hasToken(member('token')));
      case 'renew-self':
        return () => leases.renewSoon(hasToken(token));
      case 'renew-accessor':
        return () => leases.renewSoon(hasAccessor(member('accessor')));
      default:
        return undefined;
    }
  }
  const below = (prefix: string) => () => {
    const from = fullPath(namespace, prefix);
    leases.dropIf(
      (entry) =>
        entry.path.startsWith(from) || (entry.leased.kind === 'lease' && entry.leased.leaseId.startsWith(prefix)),
    );
    cache.kv.dropBelow(from);
  };
  const [, act = '', rest = ''] = /^(?:leases\/)?([a-z-]+)(?:\/(.*))?$/.exec(what) ?? [];
  if (rest === '' && !['revoke', 'renew', 'remount'].includes(act)) return undefined;
  switch (act) {
    case 'revoke':
      return () => leases.dropIf(hasLeaseId(rest === '' ? member('lease_id') : rest));
    case 'renew':
      return () => leases.renewSoon(hasLeaseId(rest === '' ? member('lease_id') : rest));
    case 'revoke-prefix':
    case 'revoke-force':
    case 'mounts':
      return below(rest);
    case 'auth':
      return below(`auth/${rest}`);
    case 'remount':
    case 'namespaces':
      return () => cache.clear();
    default:
      return undefined;
  }
}
