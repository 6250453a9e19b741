import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';

/** The length of a key, which Envoy prescribes. */
const KEY_BYTES = 80;

export interface SessionTicketsOptions {
  readonly rotateMs: number;
  readonly keep: number;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Called after each rotation. */
  readonly rotated: () => void;
}

/**
 * Keys for the session tickets of TLS. They are made here and are only in memory. The first one encrypts new tickets;
 * the others still decrypt the tickets of `keep - 1` rotations, so no rotation ends a session that is young enough.
 */
export class SessionTickets implements Disposable {
  readonly rotateMs: number;
  readonly keep: number;
  readonly #options: SessionTicketsOptions;
  #keys: readonly Uint8Array[];
  #cancel: () => void;

  /** @param before the keys of the configuration before, which stay. */
  constructor(options: SessionTicketsOptions, before: readonly Uint8Array[] = []) {
    this.rotateMs = options.rotateMs;
    this.keep = options.keep;
    this.#options = options;
    this.#keys = before.length === 0 ? [options.randomBytes(KEY_BYTES)] : before.slice(0, options.keep);
    this.#cancel = this.#arm();
  }

  /** The first one encrypts. */
  get keys(): readonly Uint8Array[] {
    return this.#keys;
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #arm(): () => void {
    const { clock, rotateMs } = this.#options;
    return deadline(clock, rotateMs, () => {
      const { keep, randomBytes, rotated } = this.#options;
      this.#keys = [randomBytes(KEY_BYTES), ...this.#keys].slice(0, keep);
      this.#cancel = this.#arm();
      rotated();
    });
  }
}
