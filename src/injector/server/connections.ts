import type { Socket } from 'node:net';

/** What is open at one time, and of it for one address. */
const MAX_OPEN = 256;
const MAX_OF_ADDRESS = 128;

/** What has come over a connection: no whole request yet, requests that were answered, one that is being answered. */
type Stage = 'new' | 'idle' | 'answering';

/**
 * The connections of the server. When there are too many, the oldest one without a whole request gives way to the new
 * one, then the one that is idle for the longest time. So slow clients cannot keep the API server and the kubelet
 * out. A connection whose request is being answered is not closed.
 */
export class Connections {
  /** In the order in which they came to their stage. */
  readonly #all = new Map<string, { readonly socket: Socket; readonly stage: Stage }>();

  /** Takes a new connection in, and closes another one for it when there are too many. */
  open(socket: Socket): void {
    const key = keyOf(socket);
    this.#all.set(key, { socket, stage: 'new' });
    socket.once('close', () => {
      if (this.#all.get(key)?.socket === socket) this.#all.delete(key);
    });
    const address = socket.remoteAddress;
    const ofAddress = [...this.#all.values()].filter((other) => other.socket.remoteAddress === address);
    if (ofAddress.length > MAX_OF_ADDRESS) this.#closeOne(socket, (other) => other.remoteAddress === address);
    if (this.#all.size > MAX_OPEN) this.#closeOne(socket, () => true);
  }

  /** @param socket the one of the request, which is that of TLS: its two ends are those of the connection. */
  enter(stage: Stage, socket: Socket): void {
    const key = keyOf(socket);
    const found = this.#all.get(key);
    if (found === undefined) return;
    this.#all.delete(key);
    this.#all.set(key, { ...found, stage });
  }

  /** When all others are being answered, the new one has to come again. */
  #closeOne(fresh: Socket, may: (socket: Socket) => boolean): void {
    const others = [...this.#all.values()].filter(({ socket }) => socket !== fresh && may(socket));
    const oldest = others.find(({ stage }) => stage === 'new') ?? others.find(({ stage }) => stage === 'idle');
    const { socket } = oldest ?? { socket: fresh };
    this.#all.delete(keyOf(socket));
    socket.destroy();
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
