import type { IncomingMessage } from 'node:http';
import type { ProxyListenConfig } from '../../config/config.ts';
import { findHeaderProblem } from '../http/guard.ts';
import { connectionNames, requestHeaders } from './end-to-end.ts';
import { readPath } from './request-path.ts';
import { type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/**
 * A request of a Vault client, read once: what guards, caches and sends it on all go by this, so that none of them
 * takes it for another request than the server will.
 */
export interface ProxyRequest {
  /** For its body. */
  readonly request: IncomingMessage;
  readonly method: string;
  /** As it came, from `/v1/` on, with its query. */
  readonly url: string;
  /** Decoded, without `/v1/` and without its query: what the server will understand, see `readPath`. */
  readonly path: string;
  /** As it came; empty when there is none. */
  readonly query: string;
  /** What of its headers is meant for the server: name, value, name, value, …, as they came. */
  readonly passed: readonly string[];
  /** The same by name in lower case; what came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client's own token; absent: it sent none. */
  readonly token: string | undefined;
}

/** Why a request is not looked at; undefined: it may be. */
export function guardRequest(request: IncomingMessage, listen: ProxyListenConfig): ProxyRefusal | undefined {
  const { headers, rawHeaders, method = '' } = request;
  const isTcp = listen.where.kind === 'tcp';
  const strange = findHeaderProblem(request, isTcp, ONCE);
  if (strange !== undefined) return proxyRefusal(strange.status, strange.code, strange.seen);
  if (!METHODS.has(method)) {
    return { ...proxyRefusal(405, 'API_METHOD', 'the Vault API has no such method'), allow: [...METHODS].join(', ') };
  }
  if (connectionNames(rawHeaders, FOR_THE_SERVER)) {
    return proxyRefusal(400, 'API_MALFORMED', 'Connection names a header that is meant for the server');
  }
  if (isTcp && (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)) {
    return proxyRefusal(403, 'PROXY_WEB_PAGE', 'it has a header that browsers send');
  }
  if (listen.requireRequestHeader && headers['x-vault-request'] !== 'true') {
    return proxyRefusal(412, 'PROXY_HEADER', 'there is no X-Vault-Request: true');
  }
  return undefined;
}

/** Reads a request of the Vault API, or says why it is none. */
export function readProxyRequest(request: IncomingMessage): ProxyRequest | ProxyRefusal {
  const { method = 'GET', url = '' } = request;
  if (!url.startsWith(PREFIX)) return proxyRefusal(404, 'API_NO_ROUTE', 'a path of the Vault API begins with /v1/');
  const path = readPath(url)?.slice(PREFIX.length);
  if (path === undefined) return proxyRefusal(400, 'API_MALFORMED', 'the path cannot be decoded');
  if (DOTS.test(path)) return proxyRefusal(400, 'API_MALFORMED', 'the path holds . or ..');
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const passed = requestHeaders(request.rawHeaders);
  const headers = byName(passed);
  if (DOTS.test(headers['x-vault-namespace'] ?? '')) {
    return proxyRefusal(400, 'API_MALFORMED', 'X-Vault-Namespace holds . or ..');
  }
  return { request, method, url, path, query, passed, headers, token: tokenOf(headers) };
}

const PREFIX = '/v1/';

/**
 * Of the Vault API; SCAN is OpenBao's. TRACE is none: its answer shows the request's headers, with our token in them.
 */
const METHODS = new Set(['GET', 'HEAD', 'LIST', 'SCAN', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Such a part of a path would lead out of the base path of the backend's address, with our token. One of a namespace
 * makes it another name of a namespace, to OpenBao and not to Vault.
 */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;

/**
 * `Connection` makes a header one of this hop, which is not passed on. Of these the client would believe that they
 * were: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
const FOR_THE_SERVER = /^(?:x-vault-.*|authorization|cache-control|content-.*|host)$/;

/** Which of two would count is decided differently from server to server. */
const ONCE = new Set([
  'host',
  'x-vault-token',
  'authorization',
  'x-vault-namespace',
  'x-vault-wrap-ttl',
  'x-vault-request',
]);

function byName(passed: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (let i = 0; i < passed.length; i += 2) {
    const name = (passed[i] as string).toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? (passed[i + 1] as string) : `${before}, ${passed[i + 1]}`;
  }
  return headers;
}

/** As the server finds it: https://openbao.org/api-docs/#authentication */
function tokenOf(headers: ProxyRequest['headers']): string | undefined {
  const token = headers['x-vault-token'];
  if (token !== undefined && token !== '') return token;
  const { authorization } = headers;
  return isBearer(authorization) ? authorization.slice('Bearer '.length).trim() : undefined;
}

export function isBearer(authorization: string | undefined): authorization is string {
  return authorization?.startsWith('Bearer ') ?? false;
}
