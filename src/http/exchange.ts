import type { Agent, ClientRequest, IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { CallCancellation } from './call-cancellation.ts';
import { loadHttp, loadHttps } from './node-http.ts';
import type { Target } from './target.ts';
import { WireError } from './wire-error.ts';

/**
 * Largest answer taken. No secret is that long: the integrated storage of Vault and OpenBao takes entries of 1 MiB,
 * Consul of 512 KiB, and AWS secrets of 64 KiB; a list has room for some 300,000 names.
 */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface WireRequest {
  readonly method: string;
  /** Encoded, from the slash on, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
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
 * One request and its whole answer over a connection of `agent`; `tunnelMs` is the longest wait for a proxy's tunnel.
 * @throws WireError, TooLarge, or the reason of `stop`; the connection is closed then.
 */
export function exchange(
  agent: Agent,
  target: Target,
  request: WireRequest,
  tunnelMs: number,
  stop: CallCancellation,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    if (stop.reason !== undefined) return reject(stop.reason);
    const sent = begin(agent, target, request, tunnelMs);
    let socket: Socket | undefined;
    let readBefore = 0;
    let midway = false;
    let cancel = () => {};

    let settled = false;
    const settle = () => {
      settled = true;
      cancel();
    };
    const lose = (reason: unknown) => {
      if (settled) return;
      settle();
      reject(reason);
      sent.destroy();
    };
    const broken = (foreign: unknown) => {
      if (settled) return;
      const silent = !midway && (socket === undefined || socket.bytesRead === readBefore);
      const reset = ['ECONNRESET', 'EPIPE'].includes(String((foreign as { code?: unknown })?.code));
      lose(new WireError(foreign, { stale: sent.reusedSocket && silent && reset, midway }));
    };

    sent.on('socket', (assigned) => {
      socket = assigned;
      readBefore = assigned.bytesRead;
    });
    sent.on('error', broken);
    sent.on('close', () => broken({ code: 'ECONNRESET' }));
    sent.on('response', (received) => {
      midway = true;
      const body = new GrowingBody();
      if (Number(received.headers['content-length']) > MAX_BODY_BYTES) return lose(new AnswerTooLarge());
      received.on('data', (chunk: Buffer) => {
        if (!settled && !body.add(chunk)) lose(new AnswerTooLarge());
      });
      received.on('error', broken);
      received.on('end', () => {
        if (!received.complete) return broken({ code: 'ECONNRESET' });
        settle();
        resolve({ status: received.statusCode ?? 0, headers: flatten(received.headers), body: body.bytes });
      });
    });
    cancel = stop.listen(() => lose(stop.reason));
    sent.end(request.body);
  });
}

/**
 * The body of an answer as it comes. Most bodies are one chunk, which is taken as it is. Those of several are put into
 * one block of memory that grows in place, so that at no moment there are the chunks and a copy of them all.
 */
class GrowingBody {
  #bytes: Uint8Array = NOTHING;
  #block: ArrayBuffer | undefined;

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** False: it is longer than `MAX_BODY_BYTES` with this chunk, which is left out. */
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

function begin(agent: Agent, target: Target, { method, path, headers, body }: WireRequest, timeout: number) {
  const sent = openRequest(agent, target, { method, path, timeout });
  for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
  if (body !== undefined) sent.setHeader('Content-Length', body.length);
  return sent;
}

/**
 * A request without headers so far. They are set on it instead of handed over in its options: the options travel on to
 * `net.connect`, which prints them with NODE_DEBUG=net. `timeout` bounds a proxy's CONNECT alone, which ends with no
 * request; the deadline is the caller's.
 */
export function openRequest(
  agent: Agent,
  target: Target,
  line: { readonly method: string; readonly path: string; readonly timeout: number },
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
