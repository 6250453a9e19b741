/** A reverse proxy in front of a real server, which can answer in its place, and which can be gone. */
import http from 'node:http';
import type tls from 'node:tls';
import { findFreePort } from '../servers/index.ts';
import { type Answerer, type FaultRequest, type FaultServer, startFaultServer } from './fault-server.ts';

/** A whole answer of the server behind. */
export interface PassedAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** See `startFaultProxy`. */
export interface FaultProxy extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** How many requests came so far. */
  asked(): number;
  /** The last good answer to a GET of each path. */
  readonly answers: ReadonlyMap<string, PassedAnswer>;
  /** Answers as told from now on; without an answerer passes all requests on. */
  fault(answerer?: Answerer): void;
  /** Passes a request on, for answerers that do so later or sometimes. */
  readonly pass: Answerer;
  /** Closes every connection and refuses new ones. */
  refuse(): Promise<void>;
  /** Listens again on the same port, with another certificate when one is given. */
  accept(certificate?: tls.TlsOptions): Promise<void>;
}

/** Starts a proxy for the server at `target` (`http://127.0.0.1:PORT`), over TLS with `certificate`. */
export async function startFaultProxy(target: string, certificate?: tls.TlsOptions): Promise<FaultProxy> {
  const to = new URL(target);
  const agent = new http.Agent({ keepAlive: true });
  const answers = new Map<string, PassedAnswer>();
  const port = await findFreePort();
  let asked = 0;
  let fault: Answerer | undefined;
  let server: FaultServer | undefined;

  const pass: Answerer = (request, socket) => {
    const { method, path, body } = request;
    const headers = { ...request.headers };
    const sent = http.request({ host: to.hostname, port: to.port, method, path, headers, agent }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', () => socket.destroy());
      answer.on('end', () => {
        const whole = { status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(parts) };
        if (method === 'GET' && whole.status === 200) answers.set(pathOf(request), whole);
        write(whole)(request, socket);
      });
    });
    sent.on('error', () => socket.destroy());
    sent.end(Buffer.from(body, 'latin1'));
  };
  const answer: Answerer = (request, socket) => {
    asked++;
    (fault ?? pass)(request, socket);
  };
  const listen = async (tlsOptions = certificate) => {
    server = await startFaultServer(answer, { port, ...(tlsOptions === undefined ? {} : { tls: tlsOptions }) });
  };
  const close = async () => {
    const open = server;
    server = undefined;
    await open?.[Symbol.asyncDispose]();
  };
  await listen();
  return {
    address: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    asked: () => asked,
    answers,
    fault: (next) => {
      fault = next;
    },
    pass,
    refuse: close,
    accept: async (next) => {
      await close();
      await listen(next);
    },
    async [Symbol.asyncDispose]() {
      await close();
      agent.destroy();
    },
  };
}

/** The same answer as the server once gave. */
export function write({ status, headers, body }: PassedAnswer): Answerer {
  return (_, socket) => {
    const lines = Object.entries(headers)
      .filter(([name]) => !['connection', 'keep-alive', 'transfer-encoding', 'content-length'].includes(name))
      .flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}\r\n`));
    const head = `HTTP/1.1 ${status} X\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), body]));
  };
}

/** The path without its query. */
export const pathOf = ({ path }: Pick<FaultRequest, 'path'>): string => path.split('?', 1)[0] as string;
