/** A reader that an event is sent to. */
export interface Receiver {
  /** Closes the reader's connection. */
  cutOff(): void;
}

interface SharedEvent {
  readonly bytes: Buffer;
  readonly receivers: Set<Receiver>;
}

/**
 * How many bytes of events one listener holds for readers that have not taken them. Beyond this the readers of the
 * oldest event are cut off; a single event may be larger.
 */
export const MAX_BYTES_IN_FLIGHT = 16 * 2 ** 20;

/**
 * The events that are being sent to the readers of one listener. The bytes of an event are made once for all readers
 * and held until the last has taken them: a thousand slow readers of one value cost one value. Readers that stopped at
 * different values would cost one value each, so the sum of all events is bounded.
 */
export class EventsInFlight {
  readonly #maxBytes: number;
  /** Events by key, the oldest first. */
  readonly #events = new Map<string, SharedEvent>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES_IN_FLIGHT) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Holds the bytes of an event for one more receiver, until `release`.
   * @param make called for the first receiver only.
   */
  hold(key: string, receiver: Receiver, make: () => Buffer): Buffer {
    let event = this.#events.get(key);
    if (event === undefined) {
      event = { bytes: make(), receivers: new Set() };
      this.#makeRoom(event.bytes.length);
      this.#events.set(key, event);
      this.#bytes += event.bytes.length;
    }
    event.receivers.add(receiver);
    return event.bytes;
  }

  /** The receiver has taken the bytes, or will not. May be called more than once for a receiver. */
  release(key: string, receiver: Receiver): void {
    const event = this.#events.get(key);
    if (event?.receivers.delete(receiver) !== true || event.receivers.size > 0) return;
    this.#events.delete(key);
    this.#bytes -= event.bytes.length;
  }

  #makeRoom(bytes: number): void {
    for (const [key, { receivers }] of this.#events) {
      if (this.#bytes + bytes <= this.#maxBytes) return;
      for (const receiver of [...receivers]) {
        this.release(key, receiver);
        receiver.cutOff();
      }
    }
  }
}
