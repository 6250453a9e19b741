import type { ServerResponse } from 'node:http';
import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import { JSON_TYPE, sendReply } from '../http/reply.ts';

/** A request that is answered here, with an error. */
export interface ProxyRefusal {
  readonly status: number;
  readonly failure: Failure;
  /** The methods that there are, with 405. */
  readonly allow?: string;
}

export function proxyRefusal(status: number, code: Code, seen: string): ProxyRefusal {
  const hint = code.startsWith('PROXY_') ? {} : { hint: 'See docs/proxy.md.' };
  return { status, failure: failure(code, 'proxy', seen, hint) };
}

/** An error in the shape that every Vault client reads: https://openbao.org/api-docs/#error-response */
export function sendRefusal(response: ServerResponse, { status, failure, allow }: ProxyRefusal): void {
  const { code, seen, hint } = failure;
  const body = `${JSON.stringify({ errors: [`pannier: ${seen} (${code}). ${hint}`] })}\n`;
  const headers = allow === undefined ? {} : { headers: { Allow: allow } };
  sendReply(response, { status, type: JSON_TYPE, body, ...headers });
}

/**
 * What stands between the client and an answer, as a status: 504 the server took too long, 503 the agent stops, 502 the
 * server cannot be spoken to. That there is no login is a 503 whatever the reason, see `NoLogin`.
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
