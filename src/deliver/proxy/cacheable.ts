import type { Upstream } from '../../backend/vault/upstream.ts';
import type { ClockReading } from '../../lease/schedule.ts';
import { cacheKey, digestOf } from './cache-key.ts';
import { CachedAnswer } from './cached-answer.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { parseJsonObject } from './json-object.ts';
import { type LeaseOwner, readLeased } from './leased.ts';
import { fullPath, namespaceOf, plainNamespace } from './namespace.ts';
import type { ProxyCache } from './proxy-cache.ts';

/** A request whose answer may be kept for further requests like it. */
export interface Cacheable {
  /** The key by which like requests wait for one answer; undefined: they do not wait for each other. */
  readonly key: string | undefined;
  /** The answer that is kept already. */
  find(): { readonly answer: CachedAnswer; readonly ageMs: number } | undefined;
  /** Called before the request is sent. */
  begin(): void;
  /** Keeps an answer, whose whole body is `body`. Undefined: it is not kept for other requests. */
  keep(answer: UpstreamAnswer, body: Buffer, since: ClockReading): CachedAnswer | undefined;
  /** Called after `keep`, or when there is no answer. */
  end(): void;
}

/** Paths that no KV engine serves. */
const NO_KV = /^(?:sys|auth|identity|cubbyhole)(?:\/|$)/;

/**
 * The key of a read that may be answered from the static KV cache: under the agent's own login, whose rights all
 * callers share (what a client's token may read is not known here), in the configured namespace, and without a header
 * that asks for more than the secret. Undefined for any other request, also for one whose path has another spelling
 * (`//`, a slash at the end).
 */
export function kvKeyOf({ asked, caller }: UpstreamRequest, upstream: Upstream): string | undefined {
  const { method, path, query, url, headers } = asked;
  if (caller !== 'own' || method !== 'GET') return undefined;
  if (namespaceOf(asked, upstream.namespace) !== plainNamespace(upstream.namespace ?? '')) return undefined;
  if (!(query === '' || VERSION.test(query)) || NO_KV.test(path) || url.includes('//') || path.endsWith('/')) {
    return undefined;
  }
  for (const name in headers) if (name.startsWith('x-vault-') && !KV_HEADERS.has(name)) return undefined;
  return url;
}

const VERSION = /^version=\d{1,9}$/;
const KV_HEADERS = new Set(['x-vault-request', 'x-vault-token', 'x-vault-namespace']);

/** Whether a path is that of a KV secret, and not of metadata or a list. */
export async function isKvSecret({ mountOf }: Upstream, path: string, signal: AbortSignal): Promise<boolean> {
  const mount = await mountOf(path, signal).catch(() => 'refused' as const);
  if (mount === 'refused' || (mount.type !== 'kv' && mount.type !== 'generic')) return false;
  return path.startsWith(mount.version === 2 ? `${mount.path}data/` : mount.path) && path !== mount.path;
}

/** A read of a KV secret. @param key from `kvKeyOf`. @param path with its namespace. */
export function staticRead(key: string, path: string, cache: ProxyCache): Cacheable {
  let reading: ReturnType<ProxyCache['kv']['begin']> | undefined;
  return {
    key: `kv ${key}`,
    find: () => cache.findKv(key),
    begin: () => {
      reading = cache.kv.begin(path);
    },
    keep: ({ received }, body, since) => {
      const fields = fieldsOf(body);
      // Vault Enterprise answers with a wrapping token while a control group has not allowed the read.
      if (fields === undefined || readLeased(fields, since.monoMs, 0) !== 'none') return undefined;
      const answer = new CachedAnswer(received, body, since);
      if (reading === undefined || reading.isOutdated || !cache.makeRoom(answer)) return undefined;
      cache.kv.keep(key, reading, answer);
      return answer;
    },
    end: () => {
      if (reading !== undefined) cache.kv.end(reading);
    },
  };
}

const MAY_LEASE = new Set(['GET', 'POST', 'PUT']);

/** Paths whose answers describe leases and tokens that exist already. */
const DESCRIBES_OTHERS = /(?:^|\/)(?:sys|auth\/token\/(?:lookup|renew|revoke|tidy|roles|accessors)[^/]*)(?:\/|$)/;

/** Paths that make a token for a caller that has one. On other paths a token is the answer to credentials: a login. */
const MAKES_TOKENS = /(?:^|\/)auth\/token\/create(?:-orphan|\/[^/]+)?$/;

/** Paths that may be logins: whether one is shows only in the answer. */
const BELOW_AUTH = /(?:^|\/)auth\//;

/**
 * A request whose answer may bring a lease or a token. Undefined when it cannot, or when the caller is not one whose
 * leases the agent keeps. Those are the agent's own login, a token that was made through the proxy, and a caller
 * without a token, which logs in through the proxy.
 */
export function leasedRequest(outgoing: UpstreamRequest, namespace: string, cache: ProxyCache): Cacheable | undefined {
  const { asked, caller, body } = outgoing;
  const { method, path, token = '', headers } = asked;
  if (!MAY_LEASE.has(method) || headers['x-vault-wrap-ttl'] !== undefined || DESCRIBES_OTHERS.test(path))
    return undefined;
  if (!(body === undefined || body instanceof Uint8Array) || asked.query.includes('list=')) return undefined;
  const client = caller === 'client' ? cache.leases.ownerOf(token) : undefined;
  if (caller === 'client' && client === undefined) return undefined;
  const what = `${method} ${fullPath(namespace, path)}`;
  if (cache.isUnleased(what)) return undefined;
  const who = caller === 'client' ? digestOf(token) : caller;
  const key = cacheKey(asked, namespace, who, body);
  const makesTokens = MAKES_TOKENS.test(path);
  return {
    key: method !== 'GET' && BELOW_AUTH.test(path) && !makesTokens ? undefined : key,
    find: () => {
      const answer = cache.leases.find(key);
      return answer && { answer, ageMs: cache.ageOf(answer) };
    },
    begin: () => {},
    keep: ({ received, login }, bytes, since) => {
      const fields = fieldsOf(bytes);
      const leased = fields === undefined ? 'unsupported' : readLeased(fields, since.monoMs, login?.id ?? 0);
      if (leased === 'none') cache.rememberUnleased(what);
      if (leased === 'none' || leased === 'unsupported') return undefined;
      const entry = { path: fullPath(namespace, path), namespace, leased };
      if (leased.kind === 'token' && !makesTokens) {
        // Only the server knows whether the same credentials are still good: the token is renewed and its leases are
        // kept, but its answer is never given again.
        const empty = new CachedAnswer(received, NOTHING, since);
        if (cache.makeRoom(empty)) cache.leases.keepLogin({ ...entry, key, answer: empty, leased });
        return undefined;
      }
      const maker: LeaseOwner = client ?? (login === undefined ? { kind: 'none' } : { kind: 'login', login });
      const owner: LeaseOwner = leased.kind === 'token' && leased.isOrphan ? { kind: 'none' } : maker;
      if (maker.kind === 'login' && maker.login.usesLeft !== 'unlimited') return undefined;
      if (owner.kind === 'none' && leased.kind === 'lease') return undefined;
      if (owner.kind === 'none' && leased.kind === 'token' && !leased.isOrphan) return undefined;
      const answer = new CachedAnswer(received, bytes, since);
      if (!cache.makeRoom(answer)) return undefined;
      cache.leases.keep({ ...entry, key, answer, owner });
      return answer;
    },
    end: () => {},
  };
}

const NOTHING = Buffer.alloc(0);

/** The fields of an answer in JSON; undefined when it is not an object, or not UTF-8. */
function fieldsOf(body: Buffer) {
  try {
    return parseJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
