import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';

/** Browsers that follow the page at once. */
export const MAX_VIEWERS = 16;

/** The page is sent at most so often, whatever happens. */
const PAUSE_MS = 1_000;

/** The page is sent at least so often, which also shows each side that the other one is there. */
const BEAT_MS = 15_000;

/** A browser that takes nothing for so long is cut off. */
const SLOW_MS = 30_000;

/**
 * The browsers that follow the page by Server-Sent Events. They get states, not history: all of them share one text,
 * and one that has not taken the last text gets the newest when it has. While nobody looks, nothing is done.
 */
export class Viewers implements Disposable {
  readonly #clock: Clock;
  readonly #render: () => string;
  /** Those who look, and whether one has yet to be sent the newest text. */
  readonly #viewers = new Map<ServerResponse, { isBehind: boolean; cancelSlow?: () => void }>();
  #cancel: (() => void) | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(clock: Clock, render: () => string) {
    this.#clock = clock;
    this.#render = render;
  }

  /** Whether one more is taken. */
  get hasRoom(): boolean {
    return this.#viewers.size < MAX_VIEWERS && !this.#isOver;
  }

  add(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 2000\n\n');
    this.#viewers.set(response, { isBehind: false });
    response.on('drain', () => this.#drained(response));
    response.once('close', () => this.#left(response));
    this.#send(response, this.#message());
    this.#wakeIn(BEAT_MS);
  }

  /** Something may look different now. */
  changed(): void {
    if (this.#viewers.size > 0) this.#wakeIn(PAUSE_MS);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#cancel?.();
    for (const response of this.#viewers.keys()) {
      const { socket } = response;
      response.once('finish', () => socket?.destroySoon());
      response.end('event: end\ndata: {}\n\n');
    }
  }

  #wakeIn(ms: number): void {
    const dueMs = this.#clock.monoMs() + ms;
    if (dueMs >= this.#dueMs || this.#isOver) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = this.#clock.after(ms, () => this.#sendAll());
  }

  #sendAll(): void {
    this.#cancel = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (this.#viewers.size === 0) return;
    const message = this.#message();
    for (const response of this.#viewers.keys()) this.#send(response, message);
    this.#wakeIn(BEAT_MS);
  }

  #message(): string {
    return `event: status\ndata: ${JSON.stringify(this.#render())}\n\n`;
  }

  #send(response: ServerResponse, message: string): void {
    const viewer = this.#viewers.get(response);
    if (viewer === undefined || response.destroyed) return;
    if (viewer.cancelSlow !== undefined) viewer.isBehind = true;
    else if (!response.write(message)) {
      viewer.cancelSlow = deadline(this.#clock, SLOW_MS, () => response.destroy());
    }
  }

  #drained(response: ServerResponse): void {
    const viewer = this.#viewers.get(response);
    if (viewer === undefined) return;
    viewer.cancelSlow?.();
    delete viewer.cancelSlow;
    if (!viewer.isBehind || response.writableEnded) return;
    viewer.isBehind = false;
    this.#send(response, this.#message());
  }

  #left(response: ServerResponse): void {
    this.#viewers.get(response)?.cancelSlow?.();
    this.#viewers.delete(response);
    if (this.#viewers.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}
