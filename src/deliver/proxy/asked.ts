import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ProxyListenConfig } from '../../config/config.ts';
import { strangeness } from '../http/guard.ts';
import { type Refusal, refusal } from './vault-reply.ts';

/** A request of a Vault client, looked at. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly method: string;
  /** As it came, from `/v1/` on, with its query. */
  readonly url: string;
  /** Decoded, without `/v1/` and without its query: what the server will understand. */
  readonly path: string;
  /** As it came; empty when there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** The client's own token; absent: it sent none. */
  readonly token: string | undefined;
}

/** Why a request is not looked at; undefined: it may be. */
export function guardRequest(request: IncomingMessage, listen: ProxyListenConfig): Refusal | undefined {
  const { headers } = request;
  const isTcp = listen.where.kind === 'tcp';
  const strange = strangeness(request, isTcp, ONCE);
  if (strange !== undefined) return refusal(strange.status, strange.code, strange.seen);
  if (isTcp && (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)) {
    return refusal(403, 'PROXY_WEB_PAGE', 'it has a header that browsers send');
  }
  if (listen.requireRequestHeader && headers['x-vault-request'] !== 'true') {
    return refusal(412, 'PROXY_HEADER', 'there is no X-Vault-Request: true');
  }
  return undefined;
}

/** Reads a request of the Vault API, or says why it is none. */
export function readAsked(request: IncomingMessage): Asked | Refusal {
  const { headers, method = 'GET', url = '' } = request;
  if (!url.startsWith(PREFIX)) return refusal(404, 'API_NO_ROUTE', 'a path of the Vault API begins with /v1/');
  const mark = url.indexOf('?');
  const path = decoded(url.slice(PREFIX.length, mark < 0 ? undefined : mark));
  if (path === undefined) return refusal(400, 'API_MALFORMED', 'the path cannot be decoded');
  if (DOTS.test(path)) return refusal(400, 'API_MALFORMED', 'the path holds . or ..');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  return { request, method, url, path, query, headers, token: tokenOf(headers) };
}

const PREFIX = '/v1/';

/** Such a part would lead out of the base path of the backend's address, with our token. */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;

function decoded(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Which of two would count is decided differently from server to server. */
const ONCE = new Set([
  'host',
  'x-vault-token',
  'authorization',
  'x-vault-namespace',
  'x-vault-wrap-ttl',
  'x-vault-request',
]);

/** As the server finds it: https://openbao.org/api-docs/#authentication */
function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const token = headers['x-vault-token'] as string | undefined;
  if (token !== undefined && token !== '') return token;
  return isBearer(headers.authorization) ? headers.authorization.slice('Bearer '.length) : undefined;
}

export function isBearer(authorization: string | undefined): authorization is string {
  return authorization?.startsWith('Bearer ') ?? false;
}
