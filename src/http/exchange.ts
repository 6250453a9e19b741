import type { Agent, ClientRequest, IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { CallCancellation } from './call-cancellation.ts';
import { FREE_BODY_BYTES, type LargeBodies } from './large-bodies.ts';
import { loadHttp, loadHttps } from './node-http.ts';
import type { Target } from './target.ts';
import { WireError } from './wire-error.ts';

/**
 * The largest answer that is read. No secret is that long: entries are limited to 1 MiB in the integrated storage of
 * Vault and OpenBao, 512 KiB in Consul and 64 KiB in AWS; a list has room for some 300,000 names.
 */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface WireRequest {
  readonly method: string;
  /** Encoded, begins with a slash, includes the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: the request has no body. */
  readonly body?: Uint8Array;
}

export interface WireAnswer {
  readonly status: number;
  /** Names in lower case; a header that came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The answer is longer than `MAX_BODY_BYTES`. */
export class AnswerTooLarge extends Error {}

/**
 * Sends one request over a connection of `agent` and reads the whole answer. `tunnelMs` is the longest wait for the
 * tunnel of a proxy, given only where there may be one: Node sets a timer for it at each request. `stop` ends the
 * exchange at any moment. A long body waits for its turn among `large`.
 * @throws WireError, AnswerTooLarge, or the reason of `stop`; the connection is closed then.
 */
export function exchange(
  agent: Agent,
  target: Target,
  request: WireRequest,
  tunnelMs: number | undefined,
  stop: CallCancellation,
  large: LargeBodies,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    if (stop.reason !== undefined) return reject(stop.reason);
    const sent = begin(agent, target, request, tunnelMs);
    let socket: Socket | undefined;
    let readBefore = 0;
    let midway = false;
    let unlisten = () => {};
    let endTurn: (() => void) | undefined;

    let settled = false;
    const settle = () => {
      settled = true;
      unlisten();
      endTurn?.();
    };
    const body = new GrowingBody();
    const abandon = (reason: unknown) => {
      if (settled) return;
      settle();
      body.drop();
      reject(reason);
      sent.destroy();
    };
    const connectionFailed = (foreign: unknown) => {
      if (settled) return;
      const hasNoAnswer = !midway && (socket === undefined || socket.bytesRead === readBefore);
      abandon(new WireError(foreign, { stale: sent.reusedSocket && hasNoAnswer && isReset(foreign), midway }));
    };

    sent.on('socket', (assigned) => {
      socket = assigned;
      readBefore = assigned.bytesRead;
    });
    sent.on('error', connectionFailed);
    sent.on('close', () => connectionFailed({ code: 'ECONNRESET' }));
    sent.on('response', (received) => {
      midway = true;
      if (Number(received.headers['content-length']) > MAX_BODY_BYTES) return abandon(new AnswerTooLarge());
      received.on('data', (chunk: Buffer) => {
        if (settled) return;
        if (!body.add(chunk)) return abandon(new AnswerTooLarge());
        if (endTurn !== undefined || body.bytes.length <= FREE_BODY_BYTES) return;
        received.pause();
        endTurn = large.enter(() => received.resume());
      });
      received.on('error', connectionFailed);
      received.on('end', () => {
        if (!received.complete) return connectionFailed({ code: 'ECONNRESET' });
        settle();
        resolve({ status: received.statusCode ?? 0, headers: flatten(received.headers), body: body.bytes });
      });
    });
    unlisten = stop.listen(() => abandon(stop.reason));
    sent.end(request.body);
  });
}

/** Whether the other side closed the connection, by the code of an error of Node. */
export function isReset(foreign: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(String((foreign as { code?: unknown })?.code));
}

/**
 * The body of an answer while it arrives. Most bodies are one chunk, which is used without copying. Bodies of several
 * chunks go into one block of memory that grows in place, so the chunks and a joined copy never exist together.
 */
class GrowingBody {
  #bytes: Uint8Array = NOTHING;
  #block: ArrayBuffer | undefined;

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Gives the memory back at once: until a garbage collection it would count as the agent's, 16 MiB a connection. */
  drop(): void {
    this.#block?.resize(0);
    this.#bytes = NOTHING;
  }

  /** Returns false, and leaves the chunk out, when the body would become longer than `MAX_BODY_BYTES`. */
  add(chunk: Uint8Array): boolean {
    const before = this.#bytes;
    const length = before.length + chunk.length;
    if (length > MAX_BODY_BYTES) return false;
    if (before.length === 0) {
      this.#bytes = chunk;
      return true;
    }
    if (this.#block === undefined) {
      this.#block = new ArrayBuffer(length, { maxByteLength: MAX_BODY_BYTES });
      new Uint8Array(this.#block).set(before);
    } else this.#block.resize(length);
    this.#bytes = new Uint8Array(this.#block, 0, length);
    this.#bytes.set(chunk, before.length);
    return true;
  }
}

const NOTHING = new Uint8Array();

function begin(agent: Agent, target: Target, request: WireRequest, timeout: number | undefined) {
  const { method, path, headers, body } = request;
  const sent = openRequest(agent, target, { method, path, timeout });
  for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
  if (body !== undefined) sent.setHeader('Content-Length', body.length);
  return sent;
}

/**
 * Makes a request without headers. The caller sets them on the request afterwards: Node passes the options of a request
 * on to `net.connect`, which prints them under NODE_DEBUG=net. `timeout` limits only the CONNECT of a proxy; the caller
 * keeps the deadline of the request itself.
 */
export function openRequest(
  agent: Agent,
  target: Target,
  line: { readonly method: string; readonly path: string; readonly timeout: number | undefined },
): ClientRequest {
  const options = { agent, ...line };
  if (target.kind === 'unix') return loadHttp().request({ ...options, socketPath: target.socketPath });
  const { protocol, host, port } = target;
  return (protocol === 'https:' ? loadHttps() : loadHttp()).request({ ...options, host, port });
}

function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
