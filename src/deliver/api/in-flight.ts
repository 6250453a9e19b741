/** Who is sent an event. */
export interface Receiver {
  /** Gives the connection up. */
  cutOff(): void;
}

interface Flight {
  readonly bytes: Buffer;
  readonly receivers: Set<Receiver>;
}

/**
 * Most bytes of events that one listener holds for readers that have not taken them. Beyond it the readers of the
 * oldest event are cut off; a single event may be larger.
 */
export const MAX_BYTES_IN_FLIGHT = 16 * 2 ** 20;

/**
 * The events that the readers of one listener are being sent. The bytes of an event are made once for all of them, and
 * held until the last of them has taken them: a thousand slow readers of one value cost one value. Readers that stopped
 * at different values would cost one value each, so all of them together are bounded.
 */
export class EventsInFlight {
  readonly #maxBytes: number;
  /** In the order of their making. */
  readonly #flights = new Map<string, Flight>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES_IN_FLIGHT) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The bytes of an event for one more receiver, who lands it with `land` when they are taken.
   * @param make called for the first receiver only.
   */
  board(key: string, receiver: Receiver, make: () => Buffer): Buffer {
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      flight = { bytes: make(), receivers: new Set() };
      this.#makeRoom(flight.bytes.length);
      this.#flights.set(key, flight);
      this.#bytes += flight.bytes.length;
    }
    flight.receivers.add(receiver);
    return flight.bytes;
  }

  /** May be called more than once for a receiver. */
  land(key: string, receiver: Receiver): void {
    const flight = this.#flights.get(key);
    if (flight?.receivers.delete(receiver) !== true || flight.receivers.size > 0) return;
    this.#flights.delete(key);
    this.#bytes -= flight.bytes.length;
  }

  #makeRoom(bytes: number): void {
    for (const [key, { receivers }] of this.#flights) {
      if (this.#bytes + bytes <= this.#maxBytes) return;
      for (const receiver of [...receivers]) {
        this.land(key, receiver);
        receiver.cutOff();
      }
    }
  }
}
