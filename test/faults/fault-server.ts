/** A server that speaks HTTP/1.1 byte by byte, so that a test can break it at any byte. */

import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

export interface FaultRequest {
  readonly method: string;
  /** Path of the request, with its query. */
  readonly path: string;
  /** The headers; their names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Number of the connection that the request came over, from 1. */
  readonly connection: number;
  /** Number of the request on that connection, from 1. */
  readonly nth: number;
}

/** Answers one request, or fails to. */
export type Answerer = (request: FaultRequest, socket: net.Socket) => void;

export interface FaultServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, `https://…` or `unix:///…`. */
  readonly address: string;
  readonly port: number;
  readonly requests: readonly FaultRequest[];
  /** Connections accepted so far. */
  connections(): number;
  /** Connections open now. */
  open(): number;
  /** How the next requests are answered. */
  answer(answerer: Answerer): void;
}

export interface FaultServerOptions {
  readonly tls?: tls.TlsOptions;
  readonly unix?: boolean;
  /** A free port when absent. */
  readonly port?: number;
}

/** Starts a server on a free port of 127.0.0.1, or on a socket in the temporary directory. The test disposes of it. */
export async function startFaultServer(answerer: Answerer, options: FaultServerOptions = {}): Promise<FaultServer> {
  let answering = answerer;
  let accepted = 0;
  const requests: FaultRequest[] = [];
  const sockets = new Set<net.Socket>();
  const accept = (socket: net.Socket) => {
    const connection = ++accepted;
    let nth = 0;
    let text = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let whole = takeRequest(text); whole !== undefined; whole = takeRequest(text)) {
        text = whole.rest;
        const request = { ...whole.request, connection, nth: ++nth };
        requests.push(request);
        answering(request, socket);
      }
    });
  };
  const server = options.tls === undefined ? net.createServer(accept) : tls.createServer(options.tls, accept);
  server.on('tlsClientError', () => {});
  const path = join(tmpdir(), `pannier-fault-${randomUUID()}.sock`);
  await new Promise<void>((resolve) => {
    if (options.unix) server.listen(path, resolve);
    else server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const port = options.unix ? 0 : (server.address() as net.AddressInfo).port;
  return {
    address: options.unix ? `unix://${path}` : `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => accepted,
    open: () => sockets.size,
    answer(next) {
      answering = next;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A whole answer; `headers` may override Content-Length. */
export function reply(
  status: number,
  body: string | Buffer = '',
  headers: Record<string, string | number> = {},
): Answerer {
  return (_, socket) => {
    const bytes = Buffer.from(body as string);
    const all = { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`), bytes]));
  };
}

/** Answers by the prefix of the path; 404 for other paths. */
export function route(table: Readonly<Record<string, Answerer>>): Answerer {
  return (request, socket) => {
    const found = Object.entries(table).find(([prefix]) => request.path.startsWith(prefix));
    (found?.[1] ?? reply(404, '{"errors":[]}'))(request, socket);
  };
}

/** Closes the connection with RST, or over TLS, where Node cannot do that, without an answer. */
export const reset: Answerer = (_, socket) => {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
};

/** Sends nothing, and keeps the connection open. */
export const hang: Answerer = () => {};

/** The head and half of the body, then the end of the connection. */
export const halfBody: Answerer = (_, socket) => {
  socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"data":{"value"');
};

/** Sends a byte every 20 ms, without end. */
export const drip: Answerer = (_, socket) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
  const timer = setInterval(() => socket.write(' '), 20);
  socket.on('close', () => clearInterval(timer));
};

/** Sends a body of `bytes` in chunks, without its length. */
export function flood(bytes: number): Answerer {
  return (_, socket) => {
    const part = Buffer.alloc(1 << 20, 0x20);
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    let sent = 0;
    const more = () => {
      while (sent < bytes && !socket.destroyed) {
        sent += part.length;
        socket.write(`${part.length.toString(16)}\r\n`);
        socket.write(part);
        if (!socket.write('\r\n')) return void socket.once('drain', more);
      }
      socket.write('0\r\n\r\n');
    };
    more();
  };
}

function takeRequest(text: string): { request: Omit<FaultRequest, 'connection' | 'nth'>; rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [name = '', ...value] = line.split(':');
    headers[name.toLowerCase()] = value.join(':').trim();
  }
  const length = Number(headers['content-length'] ?? 0);
  const body = text.slice(end + 4, end + 4 + length);
  if (body.length < length) return undefined;
  return { request: { method, path, headers, body }, rest: text.slice(end + 4 + length) };
}
