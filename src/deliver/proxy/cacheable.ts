import type { Upstream } from '../../backend/vault/upstream.ts';
import { parseJson } from '../../base/json.ts';
import { isFields } from '../../base/value.ts';
import { cacheKey, digestOf } from './cache-key.ts';
import { CachedAnswer } from './cached-answer.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { type LeaseOwner, readLeased } from './leased.ts';
import { fullPath } from './namespace.ts';
import type { ProxyCache } from './proxy-cache.ts';

/** A request whose answer may be kept for others like it. */
export interface Cacheable {
  /** Of the answer, and of those who wait for it; undefined: nobody waits for another's answer. */
  readonly key: string | undefined;
  find(): { readonly answer: CachedAnswer; readonly ageMs: number } | undefined;
  /** Before it is sent. */
  begin(): void;
  /** With its whole body; undefined: it is not kept. */
  keep(answer: UpstreamAnswer, body: Buffer, since: CacheTime): CachedAnswer | undefined;
  /** In any case, after `keep`. */
  end(): void;
}

export interface CacheTime {
  readonly monoMs: number;
  readonly wallMs: number;
}

/** No secret engine answers there, and what does is never the same for long. */
const NO_KV = /^(?:sys|auth|identity|cubbyhole)(?:\/|$)/;

/**
 * The key of a read that static KV may answer: under the agent's own login, whose rights all callers share (what a
 * client's token may read is not known here), in the configured namespace, and without a header that asks for more
 * than the secret. Undefined for any other. Paths that other paths may stand for (`//`, a slash at the end) are none.
 */
export function kvKeyOf({ asked, caller }: UpstreamRequest, namespace: string, configured: string): string | undefined {
  const { method, path, query, url, headers } = asked;
  if (caller !== 'own' || method !== 'GET' || namespace !== configured) return undefined;
  if (!(query === '' || VERSION.test(query)) || NO_KV.test(path) || url.includes('//') || path.endsWith('/')) {
    return undefined;
  }
  for (const name in headers) if (name.startsWith('x-vault-') && !KV_HEADERS.has(name)) return undefined;
  return url;
}

const VERSION = /^version=\d{1,9}$/;
const KV_HEADERS = new Set(['x-vault-request', 'x-vault-token', 'x-vault-namespace']);

/** Whether a path is a KV secret: not its metadata, nor a list. */
export async function isKvSecret({ mountOf }: Upstream, path: string, signal: AbortSignal): Promise<boolean> {
  const mount = await mountOf(path, signal).catch(() => 'refused' as const);
  if (mount === 'refused' || (mount.type !== 'kv' && mount.type !== 'generic')) return false;
  return path.startsWith(mount.version === 2 ? `${mount.path}data/` : mount.path) && path !== mount.path;
}

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
      // Vault Enterprise wraps what a control group has yet to allow.
      if (fields === undefined || readLeased(fields, since.monoMs, 0) !== 'plain') return undefined;
      const answer = new CachedAnswer(received, body, since);
      if (reading === undefined || reading.isSpoilt || !cache.makeRoom(answer)) return undefined;
      cache.kv.keep(key, reading, answer);
      return answer;
    },
    end: () => {
      if (reading !== undefined) cache.kv.end(reading);
    },
  };
}

const MAY_LEASE = new Set(['GET', 'POST', 'PUT']);

/** Answers there tell about leases and tokens that others made. */
const TELLS_OF_OTHERS = /(?:^|\/)(?:sys|auth\/token\/(?:lookup|renew|revoke|tidy|roles|accessors)[^/]*)(?:\/|$)/;

/** What makes tokens for one that has a token already. Elsewhere a token is the answer to somebody's credentials. */
const MAKES_TOKENS = /(?:^|\/)auth\/token\/create(?:-orphan|\/[^/]+)?$/;

/** Paths below which a token is the answer to credentials, as far as that can be known before it comes. */
const BELOW_AUTH = /(?:^|\/)auth\//;

/**
 * A request whose answer may bring a lease or a token; undefined when it cannot, or when whoever asks is not one that
 * the agent looks after: its own login, a token that was made through the proxy, or nobody (a login through the proxy).
 */
export function leasedRequest(outgoing: UpstreamRequest, namespace: string, cache: ProxyCache): Cacheable | undefined {
  const { asked, caller, body } = outgoing;
  const { method, path, token = '', headers } = asked;
  if (!MAY_LEASE.has(method) || headers['x-vault-wrap-ttl'] !== undefined || TELLS_OF_OTHERS.test(path))
    return undefined;
  if (!(body === undefined || body instanceof Uint8Array) || asked.query.includes('list=')) return undefined;
  const client = caller === 'client' ? cache.leases.ownerOf(token) : undefined;
  if (caller === 'client' && client === undefined) return undefined;
  const what = `${method} ${fullPath(namespace, path)}`;
  if (cache.isPlain(what)) return undefined;
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
      const leased = fields === undefined ? 'other' : readLeased(fields, since.monoMs, login?.id ?? 0);
      if (leased === 'plain') cache.learnPlain(what);
      if (leased === 'plain' || leased === 'other') return undefined;
      const entry = { path: fullPath(namespace, path), namespace, leased };
      if (leased.kind === 'token' && !makesTokens) {
        // The server alone knows whether the same credentials are still good: the token is renewed and its leases are
        // kept, but the answer is given to nobody else.
        const nothing = new CachedAnswer(received, NOTHING, since);
        if (cache.makeRoom(nothing)) cache.leases.keepLogin({ ...entry, key, answer: nothing, leased });
        return undefined;
      }
      const asker: LeaseOwner = client ?? (login === undefined ? { kind: 'none' } : { kind: 'login', login });
      const owner: LeaseOwner = leased.kind === 'token' && leased.isOrphan ? { kind: 'none' } : asker;
      if (asker.kind === 'login' && asker.login.usesLeft !== 'unlimited') return undefined;
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

function fieldsOf(body: Buffer) {
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
