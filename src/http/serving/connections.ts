import type { Socket } from 'node:net';

/**
 * What has come over a connection: no whole request yet, requests that were answered, one that is being answered, or
 * one that showed a client which may stay.
 */
export type Stage = 'new' | 'idle' | 'answering' | 'known';

export interface ConnectionLimits {
  /** What is open at one time. */
  readonly maxOpen: number;
  /** What of it is of one address, known clients apart. */
  readonly maxOfAddress: number;
}

interface Connection {
  readonly socket: Socket;
  readonly address: string | undefined;
  readonly stage: Stage;
}

/**
 * The connections of a server. When there are too many, the oldest one without a whole request gives way to the new
 * one, then the one that is idle for the longest time. So slow clients cannot keep the others out. A connection whose
 * request is being answered is not closed, nor is that of a known client.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  /** In the order in which they came to their stage. */
  readonly #all = new Map<string, Connection>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Takes a new connection in, and closes another one for it when there are too many. */
  open(socket: Socket): void {
    const key = keyOf(socket);
    const { remoteAddress: address } = socket;
    this.#all.set(key, { socket, address, stage: 'new' });
    socket.once('close', () => {
      if (this.#all.get(key)?.socket === socket) this.#all.delete(key);
    });
    const isOfAddress = (one: Connection) => one.address === address && one.stage !== 'known';
    if (this.#count(isOfAddress) > this.#limits.maxOfAddress) this.#closeOne(key, isOfAddress);
    if (this.#all.size > this.#limits.maxOpen) this.#closeOne(key, () => true);
  }

  /** @param socket the one of the request, which may be that of TLS: its two ends are those of the connection. */
  enter(stage: Stage, socket: Socket): void {
    const key = keyOf(socket);
    const found = this.#all.get(key);
    if (found === undefined) return;
    this.#all.delete(key);
    this.#all.set(key, { ...found, stage });
  }

  #count(fits: (connection: Connection) => boolean): number {
    let count = 0;
    for (const connection of this.#all.values()) if (fits(connection)) count++;
    return count;
  }

  /** When no other can be closed, the new one has to come again. */
  #closeOne(fresh: string, may: (connection: Connection) => boolean): void {
    const oldest = (stage: Stage) => {
      for (const [key, connection] of this.#all) {
        if (connection.stage === stage && key !== fresh && may(connection)) return key;
      }
      return undefined;
    };
    const key = oldest('new') ?? oldest('idle') ?? fresh;
    const closed = this.#all.get(key);
    this.#all.delete(key);
    closed?.socket.destroy();
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
