import { parseJson } from '../../base/json.ts';
import { isFields, plainText } from '../../base/value.ts';
import { digestOf } from './cache-key.ts';
import type { LeaseEntry } from './lease-entry.ts';
import { fullPath, plainNamespace } from './namespace.ts';
import type { ProxyCache } from './proxy-cache.ts';
import type { ProxyCall } from './proxy-call.ts';
import { readSome } from './read-some.ts';
import { type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/** As Vault Agent has it: https://openbao.org/docs/agent-and-proxy/agent/caching/#cache-clear */
export const CLEAR_PATH = '/agent/v1/cache-clear';

const MAX_ASKED = 64 * 1024;

/** Drops what a request names. Nothing is revoked. */
export async function clearCache(call: ProxyCall, cache: ProxyCache | undefined): Promise<void> {
  const { request, response } = call;
  if (cache === undefined) return call.refuse(proxyRefusal(404, 'API_NO_ROUTE', 'there is no cache'));
  if (request.method !== 'POST' && request.method !== 'PUT') {
    return call.refuse({ ...proxyRefusal(405, 'API_METHOD', 'it takes POST'), allow: 'POST, PUT' });
  }
  const { bytes, isWhole } = await readSome(request, MAX_ASKED, call.stop);
  const refused = isWhole ? clear(bytes, cache) : proxyRefusal(413, 'API_TOO_LARGE', 'the body is longer than 64 KiB');
  if (refused !== undefined) return call.refuse(refused);
  response.writeHead(200, { 'Content-Length': '0', 'Cache-Control': 'no-store' });
  response.end();
}

function clear(body: Buffer, cache: ProxyCache): ProxyRefusal | undefined {
  const said = membersOf(body);
  if (said === undefined) return proxyRefusal(400, 'API_MALFORMED', 'the body is not a JSON object');
  const { type, value = '', namespace = '' } = said;
  if (type === 'all') {
    cache.clear();
    return undefined;
  }
  if (value === '') return proxyRefusal(400, 'API_MALFORMED', 'there is no value');
  switch (type) {
    case 'request_path': {
      const path = fullPath(plainNamespace(namespace), value.replace(/^\/?(?:v1\/)?/, ''));
      cache.leases.dropIf((entry) => entry.path.startsWith(path));
      cache.kv.dropBelow(path);
      return undefined;
    }
    case 'lease':
      cache.leases.dropIf(({ leased }) => leased.kind === 'lease' && leased.leaseId === value);
      return undefined;
    case 'token': {
      const digest = digestOf(value);
      const isIt = ({ leased }: LeaseEntry) => leased.kind === 'token' && digestOf(leased.token) === digest;
      cache.leases.dropIf(isIt);
      return undefined;
    }
    case 'token_accessor':
      cache.leases.dropIf(({ leased }) => leased.kind === 'token' && leased.accessor === value);
      return undefined;
    default:
      return proxyRefusal(400, 'API_MALFORMED', 'type is none of request_path, lease, token, token_accessor, all');
  }
}

function membersOf(body: Buffer): Readonly<Partial<Record<'type' | 'value' | 'namespace', string>>> | undefined {
  try {
    const fields = parseJson(body.toString());
    if (!isFields(fields)) return undefined;
    const text = (key: string) => {
      const found = plainText(fields.get(key));
      return found === undefined ? {} : { [key]: found };
    };
    return { ...text('type'), ...text('value'), ...text('namespace') };
  } catch {
    return undefined;
  }
}
