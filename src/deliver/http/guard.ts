import type { IncomingMessage } from 'node:http';
import type { Code } from '../../base/codes.ts';
import { asFailure } from '../../base/errors.ts';
import { isLoopback } from '../../config/host-port.ts';
import { problemReply, type Reply, refusal } from './reply.ts';
import type { TokenFile } from './token-file.ts';

/** A request that the guard refuses, with the answer that it gets. */
export interface RefusedRequest {
  readonly code: Code;
  readonly reply: Reply;
}

export interface GuardOptions {
  /** Whether the Host header is checked: a web page can make a browser of this machine send requests to a port. */
  readonly isTcp: boolean;
  /** The token that requests must carry; undefined: they need none. */
  readonly token: TokenFile | undefined;
  /** The headers that may carry it, in lower case; of several in one request the first of this list counts. */
  readonly tokenHeaders?: readonly string[];
}

/** Headers that may carry the token; the last two are those of the AWS agent and of Vault's clients. */
const TOKEN_HEADERS: readonly string[] = ['x-pannier-token', 'x-aws-parameters-secrets-token', 'x-vault-token'];

/** Headers that proxies add, beside `X-Forwarded-…`: RFC 7239, nginx, CDNs, Envoy and Kubernetes Ingress. */
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

/** Headers that may not come twice, since two readers could then take different ones. */
const ONCE = new Set(['host', 'last-event-id', 'content-length', 'content-type', ...TOKEN_HEADERS]);

/**
 * Refuses requests before they reach a route: with 400 when a proxy passed one on or a header came twice, with 421 when
 * the Host header does not name this machine (DNS rebinding: a page of evil.example, which now resolves to 127.0.0.1),
 * and with 403 without the token.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #tokenHeaders: readonly string[];
  readonly #once: ReadonlySet<string>;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#tokenHeaders = options.tokenHeaders ?? TOKEN_HEADERS;
    this.#once = options.tokenHeaders === undefined ? ONCE : new Set([...ONCE, ...options.tokenHeaders]);
  }

  /**
   * Why a request is refused; undefined: it may pass.
   * @param isOpen whether the request needs no token (health); called only when a token is configured.
   */
  refuse(
    request: IncomingMessage,
    isOpen: () => boolean,
  ): RefusedRequest | undefined | Promise<RefusedRequest | undefined> {
    const problem = findHeaderProblem(request, this.#options.isTcp, this.#once);
    if (problem !== undefined) return refused(problem.status, problem.code, problem.seen);
    const { headers } = request;
    const { token } = this.#options;
    if (token === undefined || isOpen()) return undefined;
    const carrying = this.#tokenHeaders.find((name) => headers[name] !== undefined);
    const given = carrying && headers[carrying];
    if (typeof given !== 'string') return refused(403, 'API_TOKEN', given === undefined ? MISSING : WRONG);
    const accepted = token.accepts(given);
    return accepted === true ? undefined : verdict(accepted);
  }
}

const MISSING = 'the request carries no token';
const WRONG = "the request's token is wrong";

/** The verdict when the token file has to be read first. */
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

/** A header because of which a request is refused, whatever token it carries. */
export interface HeaderProblem {
  readonly status: number;
  readonly code: Code;
  readonly seen: string;
}

/**
 * Finds a header that shows that a request does not come straight from a client on this machine, or that came twice.
 * @param once headers that may not come twice.
 */
export function findHeaderProblem(
  { rawHeaders, headers }: IncomingMessage,
  isTcp: boolean,
  once: ReadonlySet<string>,
): HeaderProblem | undefined {
  const met: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const { name, isForwarded } = headerNameOf(rawHeaders[at] as string);
    if (isForwarded) return { status: 400, code: 'API_FORWARDED', seen: `the request has the header ${name}` };
    if (!once.has(name)) continue;
    if (met.includes(name)) return { status: 400, code: 'API_HEADER_TWICE', seen: `the header ${name} came twice` };
    met.push(name);
  }
  if (!isTcp || isLocalHost(headers.host ?? '')) return undefined;
  return {
    status: 421,
    code: 'API_HOST',
    seen: headers.host === undefined ? 'the request has no Host header' : 'the Host header names another machine',
  };
}

interface HeaderName {
  /** In lower case. */
  readonly name: string;
  /** Whether a proxy adds it to what it passes on. */
  readonly isForwarded: boolean;
}

/** Names as they came, since clients spell theirs alike in each request. What clients send cannot fill the memory. */
const headerNames = new Map<string, HeaderName>();
const MAX_NAMES = 256;
const MAX_NAME_LENGTH = 64;

function headerNameOf(written: string): HeaderName {
  const known = headerNames.get(written);
  if (known !== undefined) return known;
  const name = written.toLowerCase();
  const read = { name, isForwarded: FORWARDED.has(name) || name.startsWith('x-forwarded') };
  if (headerNames.size < MAX_NAMES && written.length <= MAX_NAME_LENGTH) headerNames.set(written, read);
  return read;
}

/** The last Host header that named this machine. */
let lastLocalHost: string | undefined;

function isLocalHost(header: string): boolean {
  if (header === lastLocalHost) return true;
  if (!isLoopback(hostOf(header))) return false;
  lastLocalHost = header;
  return true;
}

/** The host in a Host header: `localhost` of `localhost:8270`, `::1` of `[::1]:8270`. */
export function hostOf(header: string): string {
  const found = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header);
  return (found?.[1] ?? found?.[2] ?? '').toLowerCase();
}
