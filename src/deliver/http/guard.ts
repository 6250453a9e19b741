import type { IncomingMessage } from 'node:http';
import type { Code } from '../../base/codes.ts';
import { asFailure } from '../../base/errors.ts';
import { isLoopback } from '../../config/host-port.ts';
import { problemReply, type Reply, refusal } from './reply.ts';
import type { TokenFile } from './token-file.ts';

/** Why a request is not looked at. */
export interface Refused {
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

const REFUSED = 'refused';
const ONCE = 'once';

/** What proxies add, and what must not come twice since two readers may then read two things. */
const HEADERS: ReadonlyMap<string, typeof REFUSED | typeof ONCE> = new Map([
  ...['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'].map(
    (name) => [name, REFUSED] as const,
  ),
  ...['host', 'last-event-id', 'content-length', 'content-type', ...TOKEN_HEADERS].map((name) => [name, ONCE] as const),
]);

/**
 * Says which requests are not even looked at.
 *
 * 400 for those that a proxy handed on and those with a doubled header, 421 for a name that is not this machine's (DNS
 * rebinding: a page of evil.example that now resolves to 127.0.0.1), 403 without the token.
 */
export class Guard {
  readonly #o: GuardOptions;

  constructor(options: GuardOptions) {
    this.#o = options;
  }

  /**
   * Why not; undefined: it may pass.
   * @param open no token is wanted: health.
   */
  refuse({ rawHeaders, headers }: IncomingMessage, open: () => boolean): Refused | undefined {
    const fault = headerFault(rawHeaders);
    if (fault !== undefined) return fault;
    if (this.#o.isTcp && !isLoopback(hostOf(headers.host ?? ''))) {
      return refused(421, 'API_HOST', headers.host === undefined ? 'there is none' : 'it names another host');
    }
    const { token } = this.#o;
    if (token === undefined || open()) return undefined;
    const given = TOKEN_HEADERS.map((name) => headers[name]).find((one) => one !== undefined);
    try {
      if (typeof given === 'string' && token.accepts(given)) return undefined;
      return refused(403, 'API_TOKEN', given === undefined ? 'there is none' : 'it is a wrong one');
    } catch (error) {
      const failed = asFailure(error, 'request');
      return { code: failed.code, reply: problemReply(503, failed) };
    }
  }
}

function refused(status: number, code: Code, seen: string): Refused {
  return { code, reply: refusal(status, code, seen) };
}

function headerFault(rawHeaders: readonly string[]): Refused | undefined {
  let met = '';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const rule = HEADERS.get(name);
    if (rule === undefined) continue;
    if (rule === REFUSED) return refused(400, 'API_FORWARDED', `it has the header ${name}`);
    if (met.includes(` ${name} `)) return refused(400, 'API_HEADER_TWICE', `the header ${name} came twice`);
    met += ` ${name} `;
  }
  return undefined;
}

/** `localhost` of `localhost:8270`, `::1` of `[::1]:8270`. */
function hostOf(header: string): string {
  const found = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header);
  return (found?.[1] ?? found?.[2] ?? '').toLowerCase();
}
