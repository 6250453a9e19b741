import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Code } from '../../base/codes.ts';
import { codeTable } from '../../base/codes.ts';
import { EndOfTurn } from '../../base/end-of-turn.ts';
import type { Failure } from '../../base/errors.ts';
import { MEANINGS } from '../../base/meanings.ts';

/** A complete answer. */
export interface Reply {
  readonly status: number;
  /** Media type; absent: there is no body. */
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export const JSON_TYPE = 'application/json';

/** https://www.rfc-editor.org/rfc/rfc9457 */
const PROBLEM_TYPE = 'application/problem+json';

/** A client that has not taken its answer by then is cut off. */
const ANSWER_MS = 60_000;

const unsent = new EndOfTurn();

/**
 * Writes a complete answer, which caches may not store, at the end of this turn of the event loop. A client that does
 * not take it within a minute is cut off.
 */
export function sendReply(response: ServerResponse, reply: Reply): void {
  sendLater(response, () => write(response, reply));
}

/**
 * Calls `send`, which writes a complete answer, at the end of this turn of the event loop: a client of several
 * connections gets its answers together. Nothing is called when there is an answer by then.
 */
export function sendLater(response: ServerResponse, send: () => void): void {
  unsent.add(() => {
    if (response.headersSent || response.destroyed) return;
    try {
      send();
    } catch {
      response.destroy(); // one answer that cannot be written takes no other with it
    }
  });
}

/** Writes the answers that wait for the end of this turn. Call it before anything else is written to a connection. */
export function writeUnsent(): void {
  unsent.flush();
}

function write(response: ServerResponse, { status, type, body, headers }: Reply): void {
  const all: OutgoingHttpHeaders = { 'Cache-Control': 'no-store', ...headers };
  if (type !== undefined) all['Content-Type'] = type;
  const bytes = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  if (status !== 304 && status !== 204) all['Content-Length'] = bytes;
  response.writeHead(status, all);
  response.end(response.req.method === 'HEAD' ? undefined : body);
  destroyUnlessSent(response);
}

/** Cuts a client off that does not take its answer in time. Call it when the end of the answer has been written. */
export function destroyUnlessSent(response: ServerResponse): void {
  if (response.writableFinished || response.writableLength === 0) return;
  const late = setTimeout(() => response.destroy(), ANSWER_MS);
  response.once('close', () => clearTimeout(late));
}

/**
 * A failure as problem details (RFC 9457), with the members code, place and hint beside the standard's. `more` adds
 * further members.
 */
export function problemReply(
  status: number,
  { code, place, seen, hint }: Pick<Failure, 'code' | 'place' | 'seen' | 'hint'>,
  more: object = {},
): Reply {
  const body = `${JSON.stringify({ status, title: MEANINGS[code], detail: seen, code, place, hint, ...more })}\n`;
  return { status, type: PROBLEM_TYPE, body };
}

/** The answer to a request that is refused for what it asks. @param hint replaces the code's own. */
export function refusal(
  status: number,
  code: Code,
  seen: string,
  headers?: Reply['headers'],
  hint: string = codeTable()[code].hint,
): Reply {
  const reply = problemReply(status, { code, place: 'request', seen, hint });
  return headers === undefined ? reply : { ...reply, headers };
}

/** A complete answer in JSON. */
export function jsonReply(status: number, body: object): Reply {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

/** Writes a `refusal`. */
export function sendProblem(
  response: ServerResponse,
  status: number,
  code: Code,
  seen: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendReply(response, refusal(status, code, seen, headers));
}
