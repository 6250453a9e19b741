import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Where a connection stands between two chunks of bytes. */
interface Reading {
  /** The method that was taken away from the request whose head is being read. */
  method: string | undefined;
  /** A request's head has begun and is not whole. */
  inHead: boolean;
  /** The last request of the connection; its body may still be coming. */
  request: IncomingMessage | undefined;
  /** A first piece that is too short to tell its method. */
  held: Buffer | undefined;
}

/** A method of the same meaning for the parser: it takes a body when one is announced, and its answer may have one. */
const KNOWN = 'GET';

/**
 * Requests with methods that Node's parser refuses (`LIST` of the Vault API, which hvac and node-vault send; llhttp has
 * a fixed list). The method at the beginning of a request is replaced before the parser sees it, and given back to the
 * request when its head is whole. Bytes within a head or a body are never touched. A second request that is sent
 * without waiting for the first one's answer is not looked at.
 */
export class ExtraMethods {
  readonly #lines: readonly { readonly method: string; readonly begin: Buffer }[];
  readonly #readings = new WeakMap<Socket, Reading>();

  constructor(server: Server, methods: readonly string[]) {
    this.#lines = methods.map((method) => ({ method, begin: Buffer.from(`${method} `) }));
    server.on('connection', (socket: Socket) => this.#stepIn(socket));
  }

  /** To be called first with each request: gives it the method that it came with. */
  restore(request: IncomingMessage): void {
    const reading = this.#readings.get(request.socket);
    if (reading === undefined) return;
    if (reading.method !== undefined) request.method = reading.method;
    reading.method = undefined;
    reading.inHead = false;
    reading.request = request;
  }

  /** Node's own listener gets the bytes from here on; with a listener of ours it does not read the socket beside us. */
  #stepIn(socket: Socket): void {
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
      return Buffer.concat([Buffer.from(KNOWN), bytes.subarray(method.length)]);
    }
    reading.inHead = true;
    return bytes;
  }
}
