import type { IncomingMessage } from 'node:http';
import type { ProxyListenConfig } from '../../config/config.ts';
import { headersByName } from '../../http/headers-by-name.ts';
import { findHeaderProblem } from '../http/guard.ts';
import { connectionNames, requestHeaders } from './end-to-end.ts';
import { readPath } from './request-path.ts';
import { belowRoot } from './root-namespace.ts';
import { type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/**
 * A request of a Vault client, read once. The guard, the cache and the forwarder all use this reading, so that none of
 * them understands another request than the server does.
 */
export interface ProxyRequest {
  /** The request itself, whose body may be unread. */
  readonly request: IncomingMessage;
  readonly method: string;
  /** The URL as it came, from `/v1/` on, with its query. */
  readonly url: string;
  /** The path as the server will understand it (see `readPath`): decoded, without `/v1/` and the query. */
  readonly path: string;
  /** The query as it came; empty when there is none. */
  readonly query: string;
  /** The headers that are meant for the server, as they came: name, value, name, value, … */
  readonly passed: readonly string[];
  /** The same headers by name in lower case; the values of a header that came several times are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client's own token; undefined: it sent none. */
  readonly token: string | undefined;
}

/** Why a request is refused before it is read; undefined: it is not. */
export function guardRequest(request: IncomingMessage, listen: ProxyListenConfig): ProxyRefusal | undefined {
  const { headers, rawHeaders, method = '' } = request;
  const isTcp = listen.where.kind === 'tcp';
  const problem = findHeaderProblem(request, isTcp, ONCE);
  if (problem !== undefined) return proxyRefusal(problem.status, problem.code, problem.seen);
  if (!METHODS.has(method)) {
    return {
      ...proxyRefusal(405, 'API_METHOD', `the Vault API has no method ${method}`),
      allow: [...METHODS].join(', '),
    };
  }
  if (connectionNames(rawHeaders, FOR_THE_SERVER)) {
    return proxyRefusal(400, 'API_MALFORMED', 'Connection names a header that is meant for the server');
  }
  if (isTcp && (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)) {
    return proxyRefusal(403, 'PROXY_WEB_PAGE', 'the request has a header that browsers send');
  }
  if (listen.requireRequestHeader && headers['x-vault-request'] !== 'true') {
    return proxyRefusal(412, 'PROXY_HEADER', 'the request lacks the header X-Vault-Request: true');
  }
  return undefined;
}

/**
 * Reads a request of the Vault API, or says why it is none.
 * @param root the namespace that clients see as the root; undefined: they name namespaces as the server does.
 */
export function readProxyRequest(request: IncomingMessage, root?: string): ProxyRequest | ProxyRefusal {
  const { method = 'GET', url = '' } = request;
  if (!url.startsWith(PREFIX)) return proxyRefusal(404, 'API_NO_ROUTE', 'a path of the Vault API begins with /v1/');
  const path = readPath(url)?.slice(PREFIX.length);
  if (path === undefined) return proxyRefusal(400, 'API_MALFORMED', 'the path cannot be decoded');
  if (DOTS.test(path)) return proxyRefusal(400, 'API_MALFORMED', 'a part of the path is . or ..');
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const passed = requestHeaders(request.rawHeaders);
  const headers = headersByName(passed);
  if (DOTS.test(headers['x-vault-namespace'] ?? '') || DOTS.test(headers['x-vault-inline-auth-namespace'] ?? '')) {
    return proxyRefusal(400, 'API_MALFORMED', 'a part of the namespace is . or ..');
  }
  const asked = { request, method, url, path, query, passed, headers, token: tokenOf(headers) };
  if (root === undefined) return asked;
  const moved = belowRoot(asked, root);
  const seen = 'a namespace has a character that no namespace has';
  return moved === undefined ? proxyRefusal(400, 'API_MALFORMED', seen) : { ...asked, ...moved };
}

const PREFIX = '/v1/';

/**
 * The methods of the Vault API; SCAN is OpenBao's. TRACE must not be one: its answer would show the request's headers,
 * and so the agent's token.
 */
const METHODS = new Set(['GET', 'HEAD', 'LIST', 'SCAN', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Dot segments. In a path they would lead out of the base path of the backend's address, with the agent's token. In a
 * namespace OpenBao resolves them and Vault does not, so that its name would be ambiguous.
 */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;

/**
 * Headers that `Connection` may not name: it would make them headers of this hop, which are not passed on, while the
 * client believes that the server gets them. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
const FOR_THE_SERVER = /^(?:x-vault-.*|authorization|cache-control|content-.*|host)$/;

/** Headers that may not come twice: servers differ in which of the two they take. */
const ONCE = new Set([
  'host',
  'x-vault-token',
  'authorization',
  'x-vault-namespace',
  'x-vault-inline-auth-namespace',
  'x-vault-wrap-ttl',
  'x-vault-request',
]);

/** The client's token, where the server looks for it: https://openbao.org/api-docs/#authentication */
function tokenOf(headers: ProxyRequest['headers']): string | undefined {
  const token = headers['x-vault-token'];
  if (token !== undefined && token !== '') return token;
  const { authorization } = headers;
  return isBearer(authorization) ? authorization.slice('Bearer '.length).trim() : undefined;
}

/** Whether an Authorization header carries a token. */
export function isBearer(authorization: string | undefined): authorization is string {
  return authorization?.startsWith('Bearer ') ?? false;
}
