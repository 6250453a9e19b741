import type { Socket } from 'node:net';
import { EndOfTurn } from '../base/end-of-turn.ts';

/** Who waits for what a connection brings. */
export interface Reader {
  take(chunk: Buffer): void;
  /** The other side sends no more. */
  ended(): void;
  /** The connection is broken; nothing more comes. @param error of Node. */
  failed(error: unknown): void;
}

/** Requests that are sent at the end of this turn, so that a server gets those of several clients together. */
const outgoing = new EndOfTurn();

/**
 * A connection that was used for an exchange and is kept for more of them, one at a time. Its listeners stay on the
 * socket as long as it lives: attaching and removing them costs more than an exchange itself.
 */
export class KeptConnection {
  readonly socket: Socket;
  #reader: Reader | undefined;
  /** A request waits for the end of this turn: what comes now is no answer to it. */
  #isUnsent = false;

  /** @param lost called when the connection is closed, whoever did it. */
  constructor(socket: Socket, lost: (connection: KeptConnection) => void) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#reader === undefined || this.#isUnsent)
        socket.destroy(); // nothing was asked for
      else this.#reader.take(chunk);
    });
    socket.on('end', () => {
      if (this.#reader === undefined || this.#isUnsent) socket.destroy();
      else this.#reader.ended();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      lost(this);
      this.#fail({ code: 'ECONNRESET' });
    });
    socket.on('timeout', () => {
      if (this.#reader === undefined) socket.destroy();
    });
  }

  get isUsable(): boolean {
    return !this.socket.destroyed && this.socket.writable && !this.socket.readableEnded;
  }

  /** Begins an exchange, or passes one on: from now on `reader` gets what comes. */
  readBy(reader: Reader): void {
    this.#reader = reader;
  }

  /** Ends an exchange; the connection waits for the next one for at most so long. */
  rest(idleMs: number): void {
    this.#reader = undefined;
    this.socket.setTimeout(idleMs);
    this.socket.resume();
  }

  /** Sends a request whole, at the end of this turn of the event loop. @param head in latin1. */
  send(head: string, body: Uint8Array | undefined): void {
    this.#isUnsent = true;
    outgoing.add(() => this.#write(head, body));
  }

  #write(head: string, body: Uint8Array | undefined): void {
    this.#isUnsent = false;
    if (this.socket.destroyed) return;
    if (body === undefined || body.length === 0) this.socket.write(head, 'latin1');
    else {
      this.socket.cork();
      this.socket.write(head, 'latin1');
      this.socket.write(body);
      this.socket.uncork();
    }
  }

  #fail(error: unknown): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.failed(error);
  }
}
