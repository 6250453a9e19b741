import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Where a connection stands between two chunks of bytes. */
interface Reading {
  /** The method that was replaced in the request whose head is being read; undefined: none was. */
  method: string | undefined;
  /** The head of a request has begun and is not complete. */
  inHead: boolean;
  /** The last request of the connection; its body may still be coming. */
  request: IncomingMessage | undefined;
  /** The first bytes of a request, while they are too few to tell its method. */
  held: Buffer | undefined;
}

/** The parser treats this method alike: a request may have a body when it announces one, and so may its answer. */
const SUBSTITUTE = 'GET';

/**
 * Lets a server take requests with methods that Node's parser refuses (`LIST` of the Vault API, which hvac and
 * node-vault send; llhttp has a fixed list). The method at the beginning of a request is replaced before the parser
 * sees it, and given back to the request when its head is complete. Bytes within a head or a body are never touched. In
 * a second request that is sent without waiting for the first one's answer the method is not replaced.
 */
export class ExtraMethods {
  readonly #lines: readonly { readonly method: string; readonly begin: Buffer }[];
  readonly #readings = new WeakMap<Socket, Reading>();

  constructor(server: Server, methods: readonly string[]) {
    this.#lines = methods.map((method) => ({ method, begin: Buffer.from(`${method} `) }));
    server.on('connection', (socket: Socket) => this.#intercept(socket));
  }

  /** Gives a request the method that it came with. Call it first with each request. */
  restore(request: IncomingMessage): void {
    const reading = this.#readings.get(request.socket);
    if (reading === undefined) return;
    if (reading.method !== undefined) request.method = reading.method;
    reading.method = undefined;
    reading.inHead = false;
    reading.request = request;
  }

  /** Takes the bytes before Node's own listener, which then no longer reads the socket itself, and passes them on. */
  #intercept(socket: Socket): void {
    const parsers = socket.listeners('data');
    if (parsers.length === 0) return;
    socket.removeAllListeners('data');
    const reading: Reading = { method: undefined, inHead: false, request: undefined, held: undefined };
    this.#readings.set(socket, reading);
    socket.on('data', (chunk: Buffer) => {
      const bytes = this.#translate(reading, chunk);
      if (bytes !== undefined) for (const parse of parsers) parse.call(socket, bytes);
    });
  }

  #translate(reading: Reading, chunk: Buffer): Buffer | undefined {
    if (reading.inHead || reading.request?.complete === false) return chunk;
    const bytes = reading.held === undefined ? chunk : Buffer.concat([reading.held, chunk]);
    reading.held = undefined;
    for (const { method, begin } of this.#lines) {
      const length = Math.min(begin.length, bytes.length);
      if (bytes.compare(begin, 0, length, 0, length) !== 0) continue;
      if (length < begin.length) {
        reading.held = bytes;
        return undefined;
      }
      reading.method = method;
      reading.inHead = true; // until `restore`
      return Buffer.concat([Buffer.from(SUBSTITUTE), bytes.subarray(method.length)]);
    }
    reading.inHead = true;
    return bytes;
  }
}
