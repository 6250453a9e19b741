import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFailure } from '../../base/errors.ts';
import type { Tracing } from '../../base/tracing.ts';
import { readBody, STATUS_OF_NOT_TAKEN } from '../../http/serving/read-body.ts';
import type { HttpService } from './http-service.ts';
import { problemReply, type Reply, sendProblem, sendReply } from './reply.ts';

/** One row of a route table. */
export interface Route {
  /** A GET row answers HEAD too. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /**
   * For example `/v1/secrets/:name`. `:key` stands for one non-empty part, which is percent-decoded after the path is
   * split; every other part stands for itself.
   */
  readonly path: string;
  /** Largest body that is taken, in bytes; absent: a request with a body is refused. */
  readonly maxBodyBytes?: number;
  /** The row is answered even when all connections are taken, as health is. */
  readonly vital?: boolean;
  /** HEAD is refused with 405 instead of being answered as GET. */
  readonly noHead?: boolean;
  /**
   * Returns a complete reply, at once or later, or undefined when it wrote to `asked.response` itself. An error that it
   * throws becomes a 500 that says nothing of the error.
   */
  readonly handle: (asked: RouteRequest) => Reply | undefined | Promise<Reply | undefined>;
}

/** A request that fits a row of the table. */
export interface RouteRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded parts of the path by the keys of the row. */
  readonly params: Readonly<Record<string, string>>;
  /** The query after the `?`, undecoded; empty when there is none. */
  readonly query: string;
  readonly body: Uint8Array;
}

/** Makes a service of a table of routes that has nothing to dispose. */
export function createService(routes: readonly Route[]): HttpService {
  const table = new Routes(routes);
  return {
    handle: (request, response) => table.handle(request, response),
    isVital: (request) => table.isVital(request),
    async [Symbol.asyncDispose]() {},
  };
}

interface Row extends Route {
  readonly parts: readonly string[];
}

/** What the table says about a path. */
interface Found {
  /** The rows that fit best, by their methods. */
  readonly rows: readonly Row[];
  /** The parts of the path by the keys of each row; undefined: they cannot be decoded. */
  readonly params: readonly (Readonly<Record<string, string>> | undefined)[];
}

/** Paths that are remembered: clients ask for few, again and again. What clients send cannot fill the memory. */
const MAX_PATHS = 512;
const MAX_PATH_LENGTH = 256;

/**
 * A table of routes. It answers 404 to an unknown path, 405 with Allow to an unknown method, 400 to a path that cannot
 * be decoded, and 413 to a body that is too large. Paths are compared as they came, part by part: `..`, `//` and `%2f`
 * lead nowhere. Of the rows that fit, those with the most literal parts count. docs/decisions/0005 says why this is not
 * a library.
 */
export class Routes {
  readonly #byLength = new Map<number, Row[]>();
  readonly #found = new Map<string, Found>();

  readonly #tracing: Tracing | undefined;

  /** @param tracing requests that come with a `traceparent` become spans; absent: there are no traces. */
  constructor(routes: readonly Route[], tracing?: Tracing) {
    this.#tracing = tracing;
    for (const route of routes) {
      const row = { ...route, parts: route.path.split('/') };
      const rows = this.#byLength.get(row.parts.length);
      if (rows === undefined) this.#byLength.set(row.parts.length, [row]);
      else rows.push(row);
    }
  }

  isVital(request: IncomingMessage): boolean {
    return this.#find(splitUrl(request.url).path).rows.some(({ vital }) => vital === true);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { path, query } = splitUrl(request.url);
    const { rows, params: allParams } = this.#find(path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const at = rows.findIndex((one) => one.method === method && (one.noHead !== true || request.method === method));
    const row = rows[at];
    const params = allParams[at];
    if (rows.length === 0) sendProblem(response, 404, 'API_NO_ROUTE', 'there is nothing at this path');
    else if (row === undefined) {
      const Allow = rows.map((one) => one.method).join(', ');
      sendProblem(response, 405, 'API_METHOD', `this path takes ${Allow}, not ${request.method}`, { Allow });
    } else if (params === undefined) sendProblem(response, 400, 'API_MALFORMED', 'the path cannot be decoded');
    else if (hasBody(request)) void answerWithBody(this.#traced(row, request), { request, response, params, query });
    else answer(this.#traced(row, request), { request, response, params, query, body: NOTHING });
  }

  /** A client that says which trace its request is of sees in that trace what the agent did. */
  #traced(row: Row, { headers }: IncomingMessage): Row {
    const { traceparent } = headers;
    const tracing = this.#tracing;
    if (tracing === undefined || typeof traceparent !== 'string') return row;
    const work = { kind: 'request', route: `${row.method} ${row.path}`, traceparent } as const;
    return { ...row, handle: (asked) => tracing.within(work, async () => row.handle(asked)) };
  }

  #find(path: string): Found {
    const known = this.#found.get(path);
    if (known !== undefined) return known;
    const parts = path.split('/');
    const rows = this.#candidates(parts);
    const found = { rows, params: rows.map((row) => paramsOf(row.parts, parts)) };
    if (rows.length > 0 && path.length <= MAX_PATH_LENGTH) {
      if (this.#found.size >= MAX_PATHS) this.#found.clear();
      this.#found.set(path, found);
    }
    return found;
  }

  #candidates(parts: readonly string[]): readonly Row[] {
    let most = 1;
    let best: Row[] = [];
    for (const row of this.#byLength.get(parts.length) ?? []) {
      const literal = literalParts(row.parts, parts);
      if (literal > most) {
        most = literal;
        best = [];
      }
      if (literal === most) best.push(row);
    }
    return best;
  }
}

/** How many literal parts fit, the empty one before the first slash included; 0 when the path does not fit. */
function literalParts(pattern: readonly string[], parts: readonly string[]): number {
  let literal = 0;
  for (let i = 0; i < pattern.length; i++) {
    const part = pattern[i] as string;
    if (part === parts[i]) literal++;
    else if (part[0] !== ':' || parts[i] === '') return 0;
  }
  return literal;
}

const NOTHING = new Uint8Array(0);

function answer({ handle }: Route, asked: RouteRequest): void {
  const { response } = asked;
  const failed = (error: unknown) => {
    if (response.headersSent) response.destroy();
    else sendReply(response, problemReply(500, asFailure(error, 'request')));
  };
  try {
    const reply = handle(asked);
    if (reply instanceof Promise) reply.then((late) => late && sendReply(response, late), failed);
    else if (reply !== undefined) sendReply(response, reply);
  } catch (error) {
    failed(error);
  }
}

async function answerWithBody(row: Row, asked: Omit<RouteRequest, 'body'>): Promise<void> {
  const { request, response } = asked;
  const { maxBodyBytes = 0 } = row;
  const body = await readBody(request, { maxBytes: maxBodyBytes });
  if (typeof body !== 'string') answer(row, { ...asked, body });
  else if (body === 'cut off') response.destroy();
  else {
    response.shouldKeepAlive = false; // what is left of the body is not read
    const seen = maxBodyBytes === 0 ? 'this path takes no body' : `the body is longer than ${maxBodyBytes} bytes`;
    sendProblem(response, STATUS_OF_NOT_TAKEN[body], 'API_TOO_LARGE', seen);
  }
}

function splitUrl(url = '/'): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {}; // safe: the keys come from the table, not from the request
  for (let i = 1; i < pattern.length; i++) {
    const key = pattern[i] as string;
    if (key[0] !== ':') continue;
    const part = parts[i] as string;
    try {
      params[key.slice(1)] = part.includes('%') ? decodeURIComponent(part) : part;
    } catch {
      return undefined;
    }
  }
  return Object.freeze(params);
}

/** Whether a request has a body, judged by its headers. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
