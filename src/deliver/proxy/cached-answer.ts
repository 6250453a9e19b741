import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerHeaders } from './end-to-end.ts';

/** A whole answer that is given again. What it holds shows in no log, dump or error: its members are private. */
export class CachedAnswer {
  /** Since when it is true: the request was made then. */
  readonly sinceMonoMs: number;
  /** The same on the wall clock, which goes on while a machine sleeps. */
  readonly sinceWallMs: number;
  readonly #status: number;
  readonly #headers: readonly string[];
  readonly #body: Buffer;

  constructor(received: IncomingMessage, body: Buffer, since: { readonly monoMs: number; readonly wallMs: number }) {
    this.sinceMonoMs = since.monoMs;
    this.sinceWallMs = since.wallMs;
    this.#status = received.statusCode ?? 0;
    const headers = answerHeaders(received.rawHeaders, (name) => OWN.has(name));
    this.#headers = [...headers, 'Content-Length', String(body.length), 'X-Cache', 'HIT', 'Age'];
    this.#body = body;
  }

  /** What it takes in memory, about. */
  get bytes(): number {
    return this.#body.length + this.#headers.reduce((sum, text) => sum + text.length, OVERHEAD);
  }

  /** @returns how old it is, on the clock that says more. */
  ageMs(now: { readonly monoMs: number; readonly wallMs: number }): number {
    return Math.max(now.monoMs - this.sinceMonoMs, now.wallMs - this.sinceWallMs, 0);
  }

  /** https://www.rfc-editor.org/rfc/rfc9111#section-5.1 says what Age is. */
  send(response: ServerResponse, ageMs: number): void {
    response.writeHead(this.#status, [...this.#headers, String(Math.floor(ageMs / 1000))]);
    endWith(response, this.#body);
  }
}

/** A short body goes out with its head in one write when it is a string; each of its characters is one byte of it. */
export function endWith(response: ServerResponse, body: Buffer): void {
  if (body.length > MAX_IN_ONE) response.end(body);
  else response.end(body.toString('latin1'), 'latin1');
}

const MAX_IN_ONE = 16 * 1024;

/** Said anew for each client. */
const OWN = new Set(['content-length', 'age', 'x-cache']);

/** Of an entry's key and its places in indexes. */
const OVERHEAD = 1024;
