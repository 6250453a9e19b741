import { parseJson } from '../../base/json.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { Secret } from '../../base/secret.ts';
import { isList, isSecret, type Value } from '../../base/value.ts';
import { isBearer, type ProxyRequest } from './request.ts';

/** Stands for a token where it is only compared. */
export function digestOf(token: string | Secret): string {
  const text = token instanceof Secret ? token.exposeText('backend') : token;
  return loadCrypto().createHash('sha256').update(text).digest('base64');
}

/**
 * Headers that make no other answer. All others that are passed on count: a mount may be tuned to pass any header on to
 * its plugin. Who asks and the namespace are parts of the key by themselves.
 */
const SAME = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'date',
  'pragma',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-request-id',
  'x-vault-namespace',
  'x-vault-request',
  'x-vault-token',
]);

/**
 * Equal for requests that ask for the same: method, path with query, namespace, who asks, headers that matter, body. A
 * body in JSON is compared by what it means, not by the order of its members. It is a digest: bodies hold passwords.
 * @param who `own`, or the digest of a token.
 */
export function cacheKey(asked: ProxyRequest, namespace: string, who: string, body: Uint8Array | undefined): string {
  const { method, url, headers } = asked;
  const counts = (name: string) => {
    if (name === 'content-type') return !JSON_BODY.test(headers[name] ?? '');
    return !SAME.has(name) && !(name === 'authorization' && isBearer(headers[name]));
  };
  const said = Object.keys(headers).filter(counts).sort();
  const hash = loadCrypto().createHash('sha256');
  hash.update(JSON.stringify([method, url, namespace, who, said.map((name) => [name, headers[name]])]));
  if (body !== undefined && body.length > 0) hash.update(meaningOf(body));
  return hash.digest('base64');
}

/** What the server takes a body for that says nothing of itself; a form is read in another way. */
const JSON_BODY = /^application\/json\b/i;

function meaningOf(body: Uint8Array): Uint8Array | string {
  try {
    return `json ${canonical(parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body)))}`;
  } catch {
    return body;
  }
}

/** Members in the order of their names; numbers as they were written. */
function canonical(value: Value): string {
  if (isSecret(value)) {
    const text = value.exposeText('backend');
    return value.type === 'string' ? JSON.stringify(text) : text;
  }
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const members = [...value.keys()]
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value.get(name) as Value)}`);
  return `{${members.join(',')}}`;
}
