import type { Agent, ClientRequest, IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { loadHttp, loadHttps } from './node-http.ts';
import type { Stop } from './stop.ts';
import type { Target } from './target.ts';
import { WireError } from './wire-error.ts';

/** Largest answer taken. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

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
export class TooLarge extends Error {}

/**
 * One request and its whole answer over a connection of `agent`; `tunnelMs` is the longest wait for a proxy's tunnel.
 * @throws WireError, TooLarge, or the reason of `stop`; the connection is closed then.
 */
export function exchange(
  agent: Agent,
  target: Target,
  request: WireRequest,
  tunnelMs: number,
  stop: Stop,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    if (stop.reason !== undefined) return reject(stop.reason);
    const sent = begin(agent, target, request, tunnelMs);
    let socket: Socket | undefined;
    let readBefore = 0;
    let midway = false;
    let callOff = () => {};

    let settled = false;
    const settle = () => {
      settled = true;
      callOff();
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
      const chunks: Buffer[] = [];
      let length = 0;
      if (Number(received.headers['content-length']) > MAX_BODY_BYTES) return lose(new TooLarge());
      received.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_BODY_BYTES) lose(new TooLarge());
        else chunks.push(chunk);
      });
      received.on('error', broken);
      received.on('end', () => {
        if (!received.complete) return broken({ code: 'ECONNRESET' });
        settle();
        const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        resolve({ status: received.statusCode ?? 0, headers: flatten(received.headers), body });
      });
    });
    callOff = stop.listen(() => lose(stop.reason));
    sent.end(request.body);
  });
}

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
