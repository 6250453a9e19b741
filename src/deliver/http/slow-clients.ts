import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

export interface SlowLimits {
  /** Time from the opening of a connection, or from the first byte of a later request, to the end of the headers. */
  readonly headersMs: number;
  /** Time from the end of the headers to the last byte of the body. */
  readonly requestMs: number;
}

/** What a connection is being read for. */
export interface Reading {
  readonly socket: Socket;
  /** The last request; undefined before the first one. */
  request: IncomingMessage | undefined;
  /** The bytes that were read when the last request was seen to be complete; undefined: it was not seen yet. */
  restBytes: number | undefined;
  /** Since when the head or the body that is being read counts. */
  sinceMs: number;
}

/** How often connections are checked while the rest of a head or a body is awaited. */
const CHECK_MS = 1_000;

/**
 * Finds connections that send a request too slowly. Node's own check does the same, but it wakes the process each
 * second of its life for each server. This one stops while there is no connection, and takes its time (`headersMs`)
 * while all that is there rest between two requests.
 */
export class SlowClients implements Disposable {
  readonly #limits: SlowLimits;
  readonly #expired: (socket: Socket) => void;
  readonly #readings = new Set<Reading>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether the next check is a slow one. */
  #isResting = true;

  /** @param expired called for a connection whose time is over; it is not watched any longer. */
  constructor(limits: SlowLimits, expired: (socket: Socket) => void) {
    this.#limits = limits;
    this.#expired = expired;
  }

  /** Watches a new connection until it is closed. */
  watch(socket: Socket): Reading {
    const reading: Reading = { socket, request: undefined, restBytes: undefined, sinceMs: performance.now() };
    this.#readings.add(reading);
    socket.once('close', () => this.#forget(reading));
    if (this.#isResting) this.#checkAfter(CHECK_MS);
    return reading;
  }

  /** The head of a request is complete. */
  headRead(reading: Reading, request: IncomingMessage): void {
    reading.request = request;
    reading.restBytes = undefined;
    reading.sinceMs = Number.NaN; // the next check begins to count: a request that is complete by then costs nothing
    if (this.#isResting) this.#checkAfter(CHECK_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#readings.clear();
  }

  #forget(reading: Reading): void {
    this.#readings.delete(reading);
    if (this.#readings.size > 0) return;
    clearTimeout(this.#timer);
    this.#isResting = true;
  }

  #checkAfter(ms: number): void {
    const { headersMs } = this.#limits;
    clearTimeout(this.#timer);
    this.#isResting = ms > CHECK_MS;
    this.#timer = setTimeout(() => this.#check(), Math.min(ms, headersMs));
    this.#timer.unref();
  }

  #check(): void {
    const now = performance.now();
    let areAllAtRest = true;
    for (const reading of this.#readings) {
      if (isAtRest(reading, now)) continue;
      areAllAtRest = false;
      const limitMs = reading.request?.complete === false ? this.#limits.requestMs : this.#limits.headersMs;
      if (now - reading.sinceMs < limitMs) continue;
      this.#readings.delete(reading);
      this.#expired(reading.socket);
    }
    if (this.#readings.size > 0) this.#checkAfter(areAllAtRest ? Number.POSITIVE_INFINITY : CHECK_MS);
    else this.#isResting = true;
  }
}

/** Whether the last request is complete and nothing of another one has come. Notes since when that is not so. */
function isAtRest(reading: Reading, now: number): boolean {
  const { socket, request } = reading;
  if (request === undefined) return false;
  if (!request.complete) {
    if (Number.isNaN(reading.sinceMs)) reading.sinceMs = now;
    return false;
  }
  reading.restBytes ??= socket.bytesRead;
  if (socket.bytesRead !== reading.restBytes) return false;
  reading.sinceMs = now;
  return true;
}
