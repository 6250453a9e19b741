import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { loadHttp } from '../../http/node-http.ts';
import { readBody, STATUS_OF_NOT_TAKEN } from '../../http/serving/read-body.ts';
import { type Reading, SlowClients, type SlowLimits } from '../http/slow-clients.ts';
import { discoveryRequestOfJson, discoveryResponseAsJson } from './discovery.ts';
import { type CallFault, fetchOnce, TOKEN_HEADER } from './grpc.ts';
import type { SdsHub } from './hub.ts';
import { StreamFault } from './stream.ts';

/** The path of Envoy's REST client. */
const PATH = '/v3/discovery:secrets';

const MAX_BODY_BYTES = 2 ** 20;

const LIMITS: SlowLimits = { headersMs: 10_000, requestMs: 10_000 };

/** Says why a client with this token gets no answer; undefined: it gets one. */
type Refuse = (token: string | undefined) => Promise<CallFault | undefined>;

/** Answers requests of HTTP/1 on connections that the listener has taken. */
export class PollServer implements Disposable {
  readonly #server: Server;
  /** Node's own check of slow clients begins with `listen`, which is not called here. */
  readonly #slowClients: SlowClients;
  readonly #readings = new WeakMap<Socket, Reading>();

  constructor(hub: SdsHub, refuse: Refuse, limits = LIMITS) {
    this.#slowClients = new SlowClients(limits, answerSlow);
    this.#server = loadHttp().createServer((request, response) => {
      const reading = this.#readings.get(request.socket);
      if (reading !== undefined) this.#slowClients.headRead(reading, request);
      void answerPoll(request, response, hub, refuse);
    });
  }

  take(socket: Socket): void {
    this.#readings.set(socket, this.#slowClients.watch(socket));
    this.#server.emit('connection', socket);
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#slowClients[Symbol.dispose]();
  }
}

function answerSlow(socket: Socket): void {
  const answer = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
  socket.end(answer, () => socket.destroy());
}

/** Answers one request: the secrets of a list of names, as JSON. Never rejects. */
async function answerPoll(
  request: IncomingMessage,
  response: ServerResponse,
  hub: SdsHub,
  refuse: Refuse,
): Promise<void> {
  const answer = (status: number, body: object, headers: Readonly<Record<string, string>> = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
    response.end(JSON.stringify(body));
  };
  const wrong = (status: number, message: string, headers?: Readonly<Record<string, string>>) =>
    answer(status, { message }, headers);
  try {
    if (request.url !== PATH) return wrong(404, `the only path is ${PATH}`);
    if (request.method !== 'POST') return wrong(405, 'the only method is POST', { allow: 'POST' });
    // A browser cannot send this type to another origin without asking first, and is told no.
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return wrong(415, 'the content type is application/json');
    }
    const token = request.headers[TOKEN_HEADER];
    const fault = await refuse(typeof token === 'string' ? token : undefined);
    if (fault !== undefined) return wrong(fault.kind === 'denied' ? 403 : 503, fault.message);
    const body = await readBody(request, { maxBytes: MAX_BODY_BYTES });
    if (body === 'cut off') return void response.destroy();
    if (typeof body === 'string') {
      return wrong(STATUS_OF_NOT_TAKEN[body], `the request is ${body}`, { connection: 'close' });
    }
    const asked = discoveryRequestOfJson(body.toString('utf8'));
    if (asked === undefined) return wrong(400, 'the request is no DiscoveryRequest in JSON');
    if (!hub.isReady) return wrong(503, 'the agent starts', { 'retry-after': '1' });
    answer(200, discoveryResponseAsJson(fetchOnce(hub, asked)));
  } catch (error) {
    if (error instanceof StreamFault) wrong(400, error.message);
    else response.destroy(); // the client has left
  }
}
