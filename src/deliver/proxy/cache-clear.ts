import { sendReply } from '../http/reply.ts';
import { textMembers } from './json-object.ts';
import { hasAccessor, hasLeaseId, hasToken } from './lease-entry.ts';
import { fullPath, plainNamespace } from './namespace.ts';
import { refuseMethod } from './own-paths.ts';
import type { ProxyCache } from './proxy-cache.ts';
import type { ProxyCall } from './proxy-call.ts';
import { MAX_HELD, readSome } from './read-some.ts';
import { bodyTooLong, type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/**
 * Drops what a request names from the cache. Nothing is revoked. Its body is that of Vault Agent:
 * https://openbao.org/docs/agent-and-proxy/agent/caching/#cache-clear
 * @param root the namespace that clients see as the root.
 */
export async function clearCache(call: ProxyCall, cache: ProxyCache | undefined, root = ''): Promise<void> {
  const { request, response } = call;
  if (cache === undefined) return call.refuse(proxyRefusal(404, 'API_NO_ROUTE', 'the proxy has no cache'));
  const wrong = refuseMethod(call);
  if (wrong !== undefined) return call.refuse(wrong);
  const { bytes, isWhole } = await readSome(request, MAX_HELD, call.stop);
  const refused = isWhole ? clear(bytes, cache, root) : bodyTooLong();
  if (refused !== undefined) return call.refuse(refused);
  sendReply(response, { status: 200 });
}

function clear(body: Buffer, cache: ProxyCache, root: string): ProxyRefusal | undefined {
  const member = textMembers(body);
  if (member === undefined) return proxyRefusal(400, 'API_MALFORMED', 'the body is not a JSON object');
  const [type, value = '', namespace = ''] = [member('type'), member('value'), member('namespace')];
  if (type === 'all') {
    cache.clear();
    return undefined;
  }
  if (value === '') return proxyRefusal(400, 'API_MALFORMED', 'the body has no value');
  switch (type) {
    case 'request_path': {
      const path = fullPath(plainNamespace(`${root}/${plainNamespace(namespace)}`), value.replace(/^\/?(?:v1\/)?/, ''));
      cache.leases.dropIf((entry) => entry.path.startsWith(path));
      cache.kv.dropBelow(path);
      return undefined;
    }
    case 'lease':
      cache.leases.dropIf(hasLeaseId(value));
      return undefined;
    case 'token':
      cache.leases.dropIf(hasToken(value));
      return undefined;
    case 'token_accessor':
      cache.leases.dropIf(hasAccessor(value));
      return undefined;
    default: {
      const seen = 'the type in the body must be request_path, lease, token, token_accessor or all';
      return proxyRefusal(400, 'API_MALFORMED', seen);
    }
  }
}
