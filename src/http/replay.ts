import { Duplex } from 'node:stream';
import type { KeptConnection } from './kept-connection.ts';

/**
 * The rest of an exchange that was begun without Node's HTTP client, as a socket for that client: it reads the bytes
 * that have come already and then those of the connection. What it writes is dropped, since the request has been sent.
 */
export class Replay extends Duplex {
  readonly #connection: KeptConnection;
  #isReleased = false;
  #hasEnded = false;

  constructor(connection: KeptConnection, first: Buffer) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.#take(first);
    connection.readBy({
      take: (chunk) => this.#take(chunk),
      ended: () => {
        this.#hasEnded = true;
        this.push(null);
      },
      // The connection closes after its end, when a slow client has not read all yet.
      failed: (error) => {
        if (!this.#hasEnded) this.destroy(error instanceof Error ? error : new Error('closed'));
      },
    });
  }

  /** Gives the connection back: true when nothing but the answer has come over it. */
  release(): boolean {
    const isClean = !this.destroyed && this.readableLength === 0 && this.#connection.isUsable;
    this.#isReleased = isClean;
    this.destroy();
    return isClean;
  }

  #take(chunk: Buffer): void {
    if (!this.push(chunk)) this.#connection.socket.pause();
  }

  override _read(): void {
    this.#connection.socket.resume();
  }

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }

  override _final(done: () => void): void {
    this.#connection.socket.destroy(); // Node's client ends a connection that is not to be kept
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isReleased) this.#connection.socket.destroy();
    done(error);
  }
}
