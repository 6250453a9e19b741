import type { ServerResponse } from 'node:http';
import type { ForwardedAnswer } from '../../http/forwarder.ts';
import type { ClockReading } from '../../lease/schedule.ts';
import { answerHeaders } from './end-to-end.ts';

/** A complete answer that is given again. Its content is private, so that no log, dump or error shows it. */
export class CachedAnswer {
  /** When the request was made: the answer was true from then on. */
  readonly sinceMonoMs: number;
  /** The same moment on the wall clock, which goes on while a machine sleeps. */
  readonly sinceWallMs: number;
  readonly #status: number;
  readonly #headers: readonly string[];
  readonly #body: Buffer;

  constructor(received: ForwardedAnswer, body: Buffer, since: ClockReading) {
    this.sinceMonoMs = since.monoMs;
    this.sinceWallMs = since.wallMs;
    this.#status = received.statusCode ?? 0;
    const headers = answerHeaders(received.rawHeaders, (name) => OWN.has(name));
    this.#headers = [...headers, 'Content-Length', String(body.length), 'X-Cache', 'HIT', 'Age'];
    this.#body = body;
  }

  /** About how many bytes of memory it takes. */
  get bytes(): number {
    return this.#body.length + this.#headers.reduce((sum, text) => sum + text.length, OVERHEAD);
  }

  /** The answer's age by the clock that shows the greater one. */
  ageMs(now: ClockReading): number {
    return Math.max(now.monoMs - this.sinceMonoMs, now.wallMs - this.sinceWallMs, 0);
  }

  /** Sends the answer with its Age, which https://www.rfc-editor.org/rfc/rfc9111#section-5.1 defines. */
  send(response: ServerResponse, ageMs: number): void {
    response.writeHead(this.#status, [...this.#headers, String(Math.floor(ageMs / 1000))]);
    endWith(response, this.#body);
  }
}

/** Ends an answer. A short body is written as a latin1 string, a character for a byte: Node joins it with the head. */
export function endWith(response: ServerResponse, body: Buffer): void {
  if (body.length > MAX_IN_ONE) response.end(body);
  else response.end(body.toString('latin1'), 'latin1');
}

const MAX_IN_ONE = 16 * 1024;

/** Headers that are made anew for each client. */
const OWN = new Set(['content-length', 'age', 'x-cache']);

/** Bytes of an entry's key and its places in indexes. */
const OVERHEAD = 1024;
