import { Socket } from 'node:net';
import { errnoWord } from '../../base/errno.ts';
import { fail, type PannierError } from '../../base/errors.ts';
import type { LineTarget, TargetDeps } from './target.ts';

/** Where it leads: a path that another program listens on, or a stream that the process was started with. */
export type SocketWhere = { readonly path: string } | { readonly fd: number };

/** A connection takes at most this long. */
const CONNECT_MS = 5_000;

/**
 * A stream socket. A line counts as taken when the kernel has it; what a receiver that ends has not read by then is
 * lost, and the agent cannot tell. A line of which the kernel has a part is sent whole over the next connection.
 */
export class SocketTarget implements LineTarget {
  readonly #where: SocketWhere;
  readonly #name: string;
  readonly #place: string;
  readonly #deps: TargetDeps;
  #socket: Socket | undefined;
  #broken: PannierError | undefined;
  /** The state of the line that the kernel did not take at once. */
  #late: 'none' | 'under way' | 'taken' = 'none';

  /** @param name as messages show it. */
  constructor(where: SocketWhere, name: string, place: string, deps: TargetDeps) {
    this.#where = where;
    this.#name = name;
    this.#place = place;
    this.#deps = deps;
  }

  async open(): Promise<void> {
    if (this.#socket?.writable === true && this.#broken === undefined) return;
    this.close();
    const socket = new Socket('fd' in this.#where ? { fd: this.#where.fd, readable: false, writable: true } : {});
    this.#socket = socket;
    // The socket does not keep the process alive.
    socket.unref();
    const connected = 'fd' in this.#where ? Promise.resolve() : this.#connect(socket, this.#where.path);
    socket.on('error', (error) => this.#break(socket, error));
    socket.on('close', () => this.#break(socket, undefined));
    // What the receiver says is thrown away, and so its end is noticed.
    if (!('fd' in this.#where)) socket.resume();
    await connected;
  }

  write(bytes: Buffer): number {
    if (this.#broken !== undefined) throw this.#broken;
    const socket = this.#socket;
    if (socket === undefined || this.#late === 'under way') return 0;
    if (this.#late === 'taken') {
      this.#late = 'none';
      return bytes.length;
    }
    const written = socket.write(bytes, (error) => {
      if (error || socket !== this.#socket || this.#late !== 'under way') return;
      this.#late = 'taken';
      this.#deps.onReady();
    });
    if (written && socket.writableLength === 0) return bytes.length;
    this.#late = 'under way';
    return 0;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#broken = undefined;
    this.#late = 'none';
    // What the kernel has is still read by the receiver.
    socket?.destroy();
  }

  async #connect(socket: Socket, path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const cancel = this.#deps.after(CONNECT_MS, () => socket.destroy());
      const settle = (error?: Error) => {
        cancel();
        if (error === undefined) resolve();
        else reject(this.#trouble(error));
      };
      socket.once('connect', () => settle());
      socket.once('error', (error) => settle(error));
      socket.once('close', () => settle(new Error('closed')));
      socket.connect(path);
    });
  }

  #break(socket: Socket, error: Error | undefined): void {
    if (socket !== this.#socket || this.#broken !== undefined) return;
    this.#broken = this.#trouble(error);
    this.#deps.onBroken(this.#broken);
  }

  #trouble(error: unknown): PannierError {
    const why = error === undefined ? 'it was closed by the reader' : errnoWord(error);
    return fail('LOG_AUDIT', this.#place, `${this.#name} takes no lines (${why})`);
  }
}
