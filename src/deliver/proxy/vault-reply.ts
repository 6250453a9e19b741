import type { ServerResponse } from 'node:http';
import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import { JSON_TYPE, sendReply } from '../http/reply.ts';

/** An error with which the proxy itself answers a request. */
export interface ProxyRefusal {
  readonly status: number;
  readonly failure: Failure;
  /** The methods that the path takes, with status 405. */
  readonly allow?: string;
}

/** A refusal; `seen` says what is wrong with the request. */
export function proxyRefusal(status: number, code: Code, seen: string): ProxyRefusal {
  const hint = code.startsWith('PROXY_') ? {} : { hint: 'See docs/proxy.md.' };
  return { status, failure: failure(code, 'proxy', seen, hint) };
}

/** The refusal of a body that has to be held and is longer than `MAX_HELD`. */
export function bodyTooLong(): ProxyRefusal {
  return proxyRefusal(413, 'API_TOO_LARGE', 'the body is longer than 64 KiB');
}

/** Writes a refusal in the form that every Vault client reads: https://openbao.org/api-docs/#error-response */
export function sendRefusal(response: ServerResponse, { status, failure, allow }: ProxyRefusal): void {
  const { code, seen, hint } = failure;
  const body = `${JSON.stringify({ errors: [`pannier: ${seen} (${code}). ${hint}`] })}\n`;
  const headers = allow === undefined ? {} : { headers: { Allow: allow } };
  sendReply(response, { status, type: JSON_TYPE, body, ...headers });
}

/**
 * The refusal for a failure: 504 when the server took too long, 503 when the agent stops, 502 when the agent cannot
 * talk to the server. A missing login is a 503 whatever the reason, see `NoLogin`.
 */
export function refusalOf(failed: Failure): ProxyRefusal {
  return { status: STATUS_OF[failed.code] ?? 502, failure: failed };
}

const STATUS_OF: { readonly [C in Code]?: number } = {
  BACKEND_TIMEOUT: 504,
  CANCELLED: 503,
  AUTH_UNUSABLE: 503,
  PROXY_OWN_LOGIN: 403,
  API_MALFORMED: 400,
  INTERNAL: 500,
};
