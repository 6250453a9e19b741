import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { ON_DEMAND_NAME, type OnDemandConfig } from '../../config/sections/sds/config.ts';
import type { SecretEntry } from '../../lease/snapshot.ts';
import type { ComputedByName, ComputedSecret } from '../../render/render.ts';
import { onDemandSecret } from './on-demand-secret.ts';

/** How long a refused name is answered without asking again, at first and at most; it doubles with each refusal. */
const REFUSED_MS = 10_000;
const MAX_REFUSED_MS = 300_000;

/** How long a certificate that no client follows any more is kept and renewed: clients come back after a reconnect. */
const IDLE_MS = 600_000;

/** A computed secret is fetched by its life; this is for one without any. */
const REFRESH_MS = 300_000;

/** How many refused names are remembered. */
const MAX_REFUSED = 10_000;

/** How often the log says that names are refused for `max`. */
const BUSY_MS = 60_000;

export interface OnDemandDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** What is known of a secret; undefined until its first answer has come. */
  readonly entryOf: (secret: string) => SecretEntry | undefined;
  /** Has these secrets fetched and kept fresh, and no other ones; `added` is the only one that is new. */
  readonly want: (secrets: ComputedByName, added?: string) => void;
  /** Whether a stream follows the name. */
  readonly isFollowed: (name: string) => boolean;
}

interface Name {
  readonly secret: string;
  cancelIdle: () => void;
}

interface Refused {
  readonly why: Failure;
  readonly times: number;
  readonly untilMonoMs: number;
}

/**
 * Certificates that are issued when a client asks for their names. A name that is followed or was followed lately is a
 * secret as any other: fetched once however many streams ask, renewed, kept while the backend is down. At the limit the
 * name that nobody has followed for longest gives way; when all are followed a further name is refused.
 */
export class OnDemand implements Disposable {
  readonly #config: OnDemandConfig;
  readonly #deps: OnDemandDeps;
  /** In the order in which they were last asked for or let go of. */
  readonly #names = new Map<string, Name>();
  readonly #wanted = new Map<string, ComputedSecret>();
  readonly #refused = new Map<string, Refused>();
  #cancelRetry: (() => void) | undefined;
  #toldBusyMs = Number.NEGATIVE_INFINITY;

  constructor(config: OnDemandConfig, deps: OnDemandDeps) {
    this.#config = config;
    this.#deps = deps;
    deps.want(this.#wanted);
  }

  /** How many names there are now. */
  get size(): number {
    return this.#names.size;
  }

  get max(): number {
    return this.#config.max;
  }

  /** A stream follows the name from now on. */
  ask(name: string): void {
    const known = this.#names.get(name);
    if (known !== undefined) {
      known.cancelIdle();
      return;
    }
    if ((this.#refused.get(name)?.untilMonoMs ?? 0) > this.#deps.clock.monoMs()) return;
    const { max, backend, request, place } = this.#config;
    const madeRoom = this.#names.size >= max && this.#makeRoom();
    if (this.#names.size >= max && !madeRoom) {
      const busy = failure('SDS_BUSY', place, `as many names are followed as max allows: ${max}`);
      this.#refuse(name, busy);
      this.#tellBusy(busy);
      return;
    }
    const secret = onDemandSecret(name);
    this.#names.set(name, { secret, cancelIdle: () => {} });
    this.#wanted.set(secret, {
      backend,
      request: requestFor(name, request),
      refreshMs: REFRESH_MS,
      place,
      keptWhenGone: true,
    });
    this.#deps.want(this.#wanted, madeRoom ? undefined : secret);
  }

  /** No stream follows the name any more. */
  leave(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    this.#names.delete(name);
    this.#names.set(name, known); // it goes to the end of the order
    known.cancelIdle();
    known.cancelIdle = deadline(this.#deps.clock, IDLE_MS, () => {
      this.#drop(name, known);
      this.#deps.want(this.#wanted);
    });
  }

  /** What is known of a name; `refused` tells why it has no certificate. */
  look(name: string): { readonly entry?: SecretEntry | undefined; readonly refused?: Failure } {
    const known = this.#names.get(name);
    if (known !== undefined) return { entry: this.#deps.entryOf(known.secret) };
    const refused = this.#refused.get(name);
    return refused === undefined ? {} : { refused: refused.why };
  }

  /**
   * To be called after an attempt for the name's secret. When the first one failed, the name is refused for a while: a
   * handshake waits, and had better end.
   */
  attempted(name: string): void {
    const known = this.#names.get(name);
    const entry = known && this.#deps.entryOf(known.secret);
    if (known === undefined || entry === undefined) return;
    if (entry.state !== 'absent') {
      this.#refused.delete(name);
      return;
    }
    this.#drop(name, known);
    this.#refuse(name, entry.why);
    this.#deps.want(this.#wanted);
  }

  [Symbol.dispose](): void {
    this.#cancelRetry?.();
    for (const { cancelIdle } of this.#names.values()) cancelIdle();
    this.#names.clear();
    this.#wanted.clear();
  }

  /** One warning a minute: a client that asks for many names is told of once, not for each of them. */
  #tellBusy(warning: Failure): void {
    const now = this.#deps.clock.monoMs();
    if (now - this.#toldBusyMs < BUSY_MS) return;
    this.#toldBusyMs = now;
    this.#deps.emit({ kind: 'agent-warning', warning });
  }

  #makeRoom(): boolean {
    for (const [name, known] of this.#names) {
      if (this.#deps.isFollowed(name)) continue;
      this.#drop(name, known);
      return true;
    }
    return false;
  }

  #drop(name: string, known: Name): void {
    known.cancelIdle();
    this.#names.delete(name);
    this.#wanted.delete(known.secret);
  }

  #refuse(name: string, why: Failure): void {
    const times = (this.#refused.get(name)?.times ?? 0) + 1;
    const forMs = Math.min(MAX_REFUSED_MS, REFUSED_MS * 2 ** (times - 1));
    this.#refused.delete(name);
    this.#refused.set(name, { why, times, untilMonoMs: this.#deps.clock.monoMs() + forMs });
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_REFUSED) break;
      this.#refused.delete(oldest);
    }
    this.#cancelRetry ??= deadline(this.#deps.clock, REFUSED_MS, () => this.#retry());
  }

  /** Asks again for refused names that are still followed: a client that was told nothing waits. Forgets the others. */
  #retry(): void {
    this.#cancelRetry = undefined;
    const now = this.#deps.clock.monoMs();
    for (const [name, { untilMonoMs }] of [...this.#refused]) {
      if (untilMonoMs > now) continue;
      if (this.#deps.isFollowed(name)) this.ask(name);
      else this.#refused.delete(name);
    }
    if (this.#refused.size === 0) return;
    this.#cancelRetry ??= deadline(this.#deps.clock, REFUSED_MS, () => this.#retry());
  }
}

/** The request of the configuration with the name in it, in each text of it. */
function requestFor<T>(name: string, request: T): T {
  if (typeof request === 'string') return request.replaceAll(ON_DEMAND_NAME, name) as T;
  if (Array.isArray(request)) return request.map((one: unknown) => requestFor(name, one)) as T;
  if (typeof request !== 'object' || request === null) return request;
  return Object.fromEntries(Object.entries(request).map(([key, value]) => [key, requestFor(name, value)])) as T;
}
