import type { IncomingMessage } from 'node:http';
import type { Code } from '../../base/codes.ts';
import { asFailure } from '../../base/errors.ts';
import { isLoopback } from '../../config/host-port.ts';
import { problemReply, type Reply, refusal } from './reply.ts';
import type { TokenFile } from './token-file.ts';

/** Why a request is not looked at. */
export interface RefusedRequest {
  readonly code: Code;
  readonly reply: Reply;
}

export interface GuardOptions {
  /** Any page in a browser of this machine can make it send requests to a port, under a name of its own. */
  readonly isTcp: boolean;
  /** Absent: none is wanted. */
  readonly token: TokenFile | undefined;
}

/** Headers that carry the token; the last two are those of the AWS agent and of Vault's clients. */
const TOKEN_HEADERS = ['x-pannier-token', 'x-aws-parameters-secrets-token', 'x-vault-token'] as const;

/** What proxies add beside `X-Forwarded-…`: the standard's, nginx's, those of CDNs, of Envoy and of Ingress. */
const FORWARDED = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-url',
  'x-envoy-external-address',
  'x-envoy-internal',
  'x-envoy-original-path',
]);

/** What must not come twice, since two readers may then read two things. */
const ONCE = new Set(['host', 'last-event-id', 'content-length', 'content-type', ...TOKEN_HEADERS]);

/**
 * Says which requests are not even looked at.
 *
 * 400 for those that a proxy handed on and those with a doubled header, 421 for a name that is not this machine's (DNS
 * rebinding: a page of evil.example that now resolves to 127.0.0.1), 403 without the token.
 */
export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * Why not; undefined: it may pass.
   * @param open no token is wanted: health.
   */
  refuse(
    request: IncomingMessage,
    open: () => boolean,
  ): RefusedRequest | undefined | Promise<RefusedRequest | undefined> {
    const strange = strangeness(request, this.#options.isTcp, ONCE);
    if (strange !== undefined) return refused(strange.status, strange.code, strange.seen);
    const { headers } = request;
    const { token } = this.#options;
    if (token === undefined || open()) return undefined;
    const given = TOKEN_HEADERS.map((name) => headers[name]).find((one) => one !== undefined);
    if (typeof given !== 'string') return refused(403, 'API_TOKEN', given === undefined ? 'there is none' : WRONG);
    const accepted = token.accepts(given);
    return accepted === true ? undefined : verdict(accepted);
  }
}

const WRONG = 'it is a wrong one';

/** The file has to be looked at first. */
async function verdict(accepted: boolean | Promise<boolean>): Promise<RefusedRequest | undefined> {
  try {
    return (await accepted) ? undefined : refused(403, 'API_TOKEN', WRONG);
  } catch (error) {
    const failed = asFailure(error, 'request');
    return { code: failed.code, reply: problemReply(503, failed) };
  }
}

function refused(status: number, code: Code, seen: string): RefusedRequest {
  return { code, reply: refusal(status, code, seen) };
}

/** What is wrong with a request whoever sent it. */
export interface SuspectHeader {
  readonly status: number;
  readonly code: Code;
  readonly seen: string;
}

/** Why a request does not come straight from a client on this machine; `once` are headers that may not come twice. */
export function strangeness(
  { rawHeaders, headers }: IncomingMessage,
  isTcp: boolean,
  once: ReadonlySet<string>,
): SuspectHeader | undefined {
  let met = '';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    if (FORWARDED.has(name) || name.startsWith('x-forwarded'))
      return { status: 400, code: 'API_FORWARDED', seen: `it has the header ${name}` };
    if (!once.has(name)) continue;
    if (met.includes(` ${name} `)) {
      return { status: 400, code: 'API_HEADER_TWICE', seen: `the header ${name} came twice` };
    }
    met += ` ${name} `;
  }
  if (!isTcp || isLoopback(hostOf(headers.host ?? ''))) return undefined;
  return {
    status: 421,
    code: 'API_HOST',
    seen: headers.host === undefined ? 'there is none' : 'it names another host',
  };
}

/** `localhost` of `localhost:8270`, `::1` of `[::1]:8270`. */
function hostOf(header: string): string {
  const found = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header);
  return (found?.[1] ?? found?.[2] ?? '').toLowerCase();
}
