import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { errnoWord } from '../../../base/errno.ts';
import { fail } from '../../../base/errors.ts';
import { loadHttp } from '../../../http/node-http.ts';
import type { ConnectionLimits } from '../../../http/serving/connections.ts';
import type { Http01Config } from '../config/config.ts';
import type { Prover } from './challenge.ts';

const PATH = '/.well-known/acme-challenge/';
/** Issuers look from several places at once. A proxy before the port is one address, and comes with whole requests. */
const CONNECTIONS: ConnectionLimits = { maxOpen: 256, maxOfAddress: 64 };
const REQUEST_MS = 5_000;
const CHECK_MS = 1_000;

/**
 * Answers the requests of http-01 (RFC 8555, section 8.3). The port is open only while a proof is shown, to anybody,
 * and gives out what the issuer asked for and nothing else. Clients that send nothing give way to the issuer.
 */
export class Http01 implements Prover {
  readonly isParallel = true;
  readonly #where: Http01Config;
  readonly #proofs = new Map<string, string>();
  #server: Promise<Server> | undefined;

  constructor(where: Http01Config) {
    this.#where = where;
  }

  async show({ token, keyAuthorization, place }: Parameters<Prover['show']>[0]): Promise<() => Promise<void>> {
    this.#proofs.set(token, keyAuthorization);
    this.#server ??= this.#listen();
    const hide = async () => {
      this.#proofs.delete(token);
      if (this.#proofs.size > 0) return;
      const server = this.#server;
      this.#server = undefined;
      await server?.then(close, () => {});
    };
    try {
      await this.#server;
    } catch (error) {
      await hide();
      const { host, port } = this.#where;
      const seen = `cannot listen on ${host}:${port} for http-01 (${errnoWord(error)})`;
      const hint =
        'Free the port, or choose another one to which port 80 of the names leads; below 1024 needs a right.';
      throw fail('ACME_CHALLENGE_FAILED', place, seen, { hint });
    }
    return hide;
  }

  /** Opens the port and closes it again. @throws Error of the system when it cannot be opened. */
  async tryPort(): Promise<void> {
    await close(await this.#listen());
  }

  async #listen(): Promise<Server> {
    const { Connections } = await import('../../../http/serving/connections.ts');
    const connections = new Connections(CONNECTIONS);
    const limits = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: CHECK_MS };
    const server = loadHttp().createServer(
      { ...limits, keepAlive: false, maxHeaderSize: 8_192 },
      (request, response) => {
        connections.enter('answering', request.socket);
        this.#answer(request, response);
      },
    );
    server.on('connection', (socket) => connections.open(socket));
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...this.#where }, () => resolve(server));
    });
  }

  #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const proof = url.startsWith(PATH) ? this.#proofs.get(url.slice(PATH.length)) : undefined;
    response.setHeader('Connection', 'close');
    if (proof === undefined || (method !== 'GET' && method !== 'HEAD')) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(proof);
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
