import { parseJson } from '../../base/json.ts';
import { isFields, plainText } from '../../base/value.ts';
import { digestOf } from './cache-key.ts';
import type { UpstreamRequest } from './exchange.ts';
import type { LeaseEntry } from './lease-entry.ts';
import { fullPath } from './namespace.ts';
import type { ProxyCache } from './proxy-cache.ts';

const READS = new Set(['GET', 'HEAD', 'LIST', 'SCAN', 'OPTIONS']);

/** Paths whose bodies say what is revoked or renewed. */
const NAMED_IN_BODY =
  /(?:^|\/)(?:auth\/token\/(?:revoke|revoke-orphan|revoke-accessor|renew|renew-accessor)|sys\/(?:leases\/)?(?:revoke|renew))$/;

/** Whether the body must be held for `outdatedBy` to look into. */
export function looksIntoBody({ path }: UpstreamRequest['asked']): boolean {
  return NAMED_IN_BODY.test(path);
}

/** What a request may do to what is kept; undefined: nothing. */
export interface Invalidation {
  /** Before it is sent: from then on the server may have done it. */
  begin(): void;
  /** When the answer has begun, before the client hears of it; or when there will be none. */
  end(isDone: boolean): void;
}

/**
 * A write outdates what was read there, whatever becomes of the request. A revocation, a renewal or an unmount that the
 * server has done tells what became of leases and tokens: https://openbao.org/api-docs/auth/token/,
 * https://openbao.org/api-docs/system/leases/
 */
export function invalidationOf(
  outgoing: UpstreamRequest,
  namespace: string,
  cache: ProxyCache,
): Invalidation | undefined {
  const { asked, caller } = outgoing;
  if (READS.has(asked.method)) return undefined;
  const path = fullPath(namespace, asked.path);
  const wrote = () => cache.kv.wrote(path);
  const done = whatIsDone(path, caller === 'client' ? asked.token : undefined, outgoing.body, cache);
  return {
    begin: wrote,
    end: (isDone) => {
      wrote();
      if (isDone) done?.();
    },
  };
}

function whatIsDone(
  path: string,
  token: string | undefined,
  body: UpstreamRequest['body'],
  cache: ProxyCache,
): (() => void) | undefined {
  const { leases } = cache;
  const found = /^(?:(.*)\/)?(auth\/token|sys)\/(.+)$/.exec(path);
  if (found === null) return undefined;
  const [, namespace = '', where, what = ''] = found;
  const said = (key: string) => membersOf(body)?.(key);
  const isToken = (text: string | undefined) => {
    const digest = text === undefined ? undefined : digestOf(text);
    return ({ leased }: LeaseEntry) => leased.kind === 'token' && digestOf(leased.token) === digest;
  };
  const isAccessor = ({ leased }: LeaseEntry) => leased.kind === 'token' && leased.accessor === said('accessor');
  const isLease = (id: string | undefined) => (entry: LeaseEntry) =>
    entry.leased.kind === 'lease' && entry.leased.leaseId === id;
  if (where === 'auth/token') {
    switch (what) {
      case 'revoke':
        return () => leases.dropIf(isToken(said('token')));
      case 'revoke-self':
        return () => leases.dropIf(isToken(token));
      case 'revoke-accessor':
        return () => leases.dropIf(isAccessor);
      case 'revoke-orphan':
        return () => {
          leases.orphanChildrenOf(digestOf(said('token') ?? ''));
          leases.dropIf(isToken(said('token')));
        };
      case 'renew':
        return () => leases.lookAgain(isToken(said('token')));
      case 'renew-self':
        return () => leases.lookAgain(isToken(token));
      case 'renew-accessor':
        return () => leases.lookAgain(isAccessor);
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
      return () => leases.dropIf(isLease(rest === '' ? said('lease_id') : rest));
    case 'renew':
      return () => leases.lookAgain(isLease(rest === '' ? said('lease_id') : rest));
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

/** Text members of a JSON object by name. */
function membersOf(body: UpstreamRequest['body']): ((key: string) => string | undefined) | undefined {
  if (!(body instanceof Uint8Array)) return undefined;
  try {
    const fields = parseJson(Buffer.from(body).toString());
    return isFields(fields) ? (key) => plainText(fields.get(key)) : undefined;
  } catch {
    return undefined;
  }
}
