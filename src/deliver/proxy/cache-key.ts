import { parseJson } from '../../base/json.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { Secret } from '../../base/secret.ts';
import { isList, isSecret, type Value } from '../../base/value.ts';
import { isBearer, type ProxyRequest } from './request.ts';

/** The digest of a token, for places that only compare tokens. */
export function digestOf(token: string | Secret): string {
  const text = token instanceof Secret ? token.exposeText('backend') : token;
  return loadCrypto().createHash('sha256').update(text).digest('base64');
}

/**
 * Headers that do not change the answer. All others that are passed on count: a mount may be tuned to pass any header
 * on to its plugin. The caller and the namespace are separate parts of the key.
 */
const IGNORED = new Set([
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
 * The key of a request's answer. Two requests have the same key when their method, path with query, namespace, caller,
 * relevant headers and body are equal. Bodies in JSON are equal when they mean the same, whatever the order of their
 * members. The key is a digest, since bodies hold passwords.
 * @param who `own`, `none`, or the digest of the client's token.
 */
export function cacheKey(asked: ProxyRequest, namespace: string, who: string, body: Uint8Array | undefined): string {
  const { method, url, headers } = asked;
  const counts = (name: string) => {
    if (name === 'content-type') return !JSON_BODY.test(headers[name] ?? '');
    return !IGNORED.has(name) && !(name === 'authorization' && isBearer(headers[name]));
  };
  const relevant = Object.keys(headers).filter(counts).sort();
  const hash = loadCrypto().createHash('sha256');
  hash.update(JSON.stringify([method, url, namespace, who, relevant.map((name) => [name, headers[name]])]));
  if (body !== undefined && body.length > 0) hash.update(meaningOf(body));
  return hash.digest('base64');
}

/** The server takes a body without a type for JSON. A body of another type is read otherwise, a form for example. */
const JSON_BODY = /^application\/json\b/i;

function meaningOf(body: Uint8Array): Uint8Array | string {
  try {
    return `json ${canonical(parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body)))}`;
  } catch {
    return body;
  }
}

/** JSON with members in the order of their names, and numbers as they were written. */
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
