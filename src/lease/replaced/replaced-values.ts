import type { LeaseLife, OldValue, Want } from '../../backend/backend.ts';
import { backoffMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { LeaseManager } from '../manager.ts';
import type { Replaced } from '../replaced.ts';
import { endsMonoMs, MIN_LIFE_MS, stoppedExtending } from '../schedule.ts';

export interface ReplacedValuesDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  readonly manager: Pick<LeaseManager, 'entries'>;
  /** Whether an application may still use this version of a want's value. */
  readonly uses: (wantId: string, version: string) => boolean;
}

/** One value that was replaced, until it has ended. */
interface OldEntry extends Omit<Replaced, 'old'> {
  old: OldValue;
  /** Since when nothing uses it, on the monotonic clock; undefined: something does. */
  unusedSinceMonoMs: number | undefined;
  /** A renewal or a revocation runs. */
  isBusy: boolean;
  /** The lease cannot be extended any more. */
  isExhausted: boolean;
  /** Renewals or revocations that failed in a row. */
  failures: number;
  /** The next try comes not before this moment. */
  notBeforeMonoMs: number;
  /** The failure to revoke it, or that it ends in use, was told. */
  wasTold: boolean;
  cancel: () => void;
}

/** How many values of one secret stay known that nothing uses and that are not to be revoked. */
const MAX_IDLE = 4;
/** When a lease that is in use and cannot be extended is told of: with this share of its life left. */
const TOLD_SHARE = 0.1;
/** Why a revocation is not tried again: it would be refused again, or its backend was closed. */
const GIVES_UP: ReadonlySet<Failure['code']> = new Set(['CANCELLED', 'LEASE_NOT_REVOKED', 'SECRET_DENIED']);

/**
 * What becomes of values that were replaced, so that a credential is made before the one before it is broken:
 *
 * - While an output still uses the old value, it lives on: a lease is renewed at two thirds of its life, as far as the
 *   backend lets it. An output uses it until the next value is published and the application has taken that up
 *   (checked, reloaded, verified), and for as long as it is held back at the old one.
 * - When no output uses it any more and `revokeOld` asks for that, it is revoked `after` that moment. An output that
 *   goes back to it meanwhile keeps it. A revocation that fails is tried again until the value has ended, unless it is
 *   denied.
 * - Otherwise it ends by itself. It stays known until then, since an output may be rolled back to it.
 *
 * A lease that a present value has too, or another old value that is in use, is never revoked. Clients of the API count
 * as having taken up the next value at once.
 */
export class ReplacedValues implements Disposable {
  readonly #deps: ReplacedValuesDeps;
  readonly #entries = new Set<OldEntry>();
  readonly #stop = new AbortController();

  constructor(deps: ReplacedValuesDeps) {
    this.#deps = deps;
  }

  add({ old, ...replaced }: Replaced): void {
    if (this.#stop.signal.aborted) return;
    const entry: OldEntry = {
      ...replaced,
      old,
      unusedSinceMonoMs: undefined,
      isBusy: false,
      isExhausted: old.life.kind !== 'lease' || !old.life.renewable || replaced.backend.source.renew === undefined,
      failures: 0,
      notBeforeMonoMs: Number.NEGATIVE_INFINITY,
      wasTold: false,
      cancel: () => {},
    };
    this.#entries.add(entry);
    this.#plan(entry);
    this.#forgetIdle(entry.want);
  }

  /** To be called when outputs may use other values than before. */
  look(): void {
    for (const entry of this.#entries) this.#plan(entry);
  }

  /** Those that have not ended. */
  *list(): Iterable<Replaced> {
    const now = this.#deps.clock.monoMs();
    for (const entry of this.#entries) if (this.#endsMonoMs(entry) > now) yield entry;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const entry of this.#entries) entry.cancel();
    this.#entries.clear();
  }

  #plan(entry: OldEntry): void {
    if (entry.isBusy) return;
    entry.cancel();
    const now = this.#deps.clock.monoMs();
    const endsMs = this.#endsMonoMs(entry);
    if (endsMs <= now) return void this.#entries.delete(entry);
    const isUsed = this.#deps.uses(entry.want.id, entry.old.version);
    if (isUsed) entry.unusedSinceMonoMs = undefined;
    else entry.unusedSinceMonoMs ??= now;
    const [atMs, act] = isUsed ? this.#whileUsed(entry, endsMs) : this.#whenUnused(entry, endsMs);
    const dueMs = Math.min(endsMs, Math.max(atMs, entry.notBeforeMonoMs));
    if (dueMs === Number.POSITIVE_INFINITY) return;
    // Never synchronously: whoever told of the change may be about to tell of the next one.
    entry.cancel = deadline(this.#deps.clock, Math.max(1, dueMs - now), () => {
      if (this.#deps.clock.monoMs() >= endsMs) this.#entries.delete(entry);
      else act();
    });
  }

  #whileUsed(entry: OldEntry, endsMs: number): readonly [atMonoMs: number, act: () => void] {
    const { life } = entry.old;
    if (life.kind !== 'lease') return [Number.POSITIVE_INFINITY, () => {}];
    if (!entry.isExhausted) {
      const atMs = life.startedMonoMs + Math.max(MIN_LIFE_MS, life.ttlMs * (2 / 3 - 0.05 * this.#deps.random()));
      return [atMs, () => void this.#renew(entry, life)];
    }
    if (entry.wasTold) return [Number.POSITIVE_INFINITY, () => {}];
    const tell = () => {
      entry.wasTold = true;
      const seen = `an output uses the lease before, which ends in ${Math.ceil((endsMs - this.#deps.clock.monoMs()) / 1000)} s and cannot be renewed`;
      this.#warn(failure('LEASE_ENDS_IN_USE', entry.want.place, seen));
      this.#plan(entry);
    };
    return [endsMs - life.ttlMs * TOLD_SHARE, tell];
  }

  #whenUnused(entry: OldEntry, endsMs: number): readonly [atMonoMs: number, act: () => void] {
    const afterMs = entry.want.request.upkeep?.revokeOldAfterMs;
    if (afterMs === undefined || entry.backend.source.revoke === undefined) return [endsMs, () => {}];
    return [(entry.unusedSinceMonoMs ?? 0) + afterMs, () => void this.#revoke(entry)];
  }

  async #renew(entry: OldEntry, life: LeaseLife): Promise<void> {
    entry.isBusy = true;
    try {
      const renewed = await entry.backend.source.renew?.(entry.want, life, this.#stop.signal);
      entry.failures = 0;
      if (renewed === undefined || !renewed.renewable || stoppedExtending(life, renewed)) entry.isExhausted = true;
      if (renewed !== undefined) {
        entry.old = { ...entry.old, life: renewed };
        this.#deps.emit({ kind: 'secret-renewed', secrets: [...entry.names], ttlMs: renewed.ttlMs });
      }
    } catch (error) {
      const why = asFailure(error, entry.want.place);
      // What the backend refuses stays refused; what did not reach it is tried again until the lease has ended.
      if (why.code === 'SECRET_DENIED' || why.code === 'BACKEND_REJECTED') entry.isExhausted = true;
      else this.#failed(entry, why);
    }
    this.#done(entry);
  }

  async #revoke(entry: OldEntry): Promise<void> {
    if (this.#isShared(entry)) return void this.#entries.delete(entry);
    entry.isBusy = true;
    try {
      await entry.backend.source.revoke?.(entry.want, entry.old, this.#stop.signal);
      this.#entries.delete(entry);
      if (this.#stop.signal.aborted) return;
      this.#deps.emit({ kind: 'secret-revoked', secrets: [...entry.names], life: entry.old.life.kind });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const why = asFailure(error, entry.want.place);
      this.#failed(entry, why);
      if (!entry.wasTold) this.#warn(notRevoked(entry, why));
      entry.wasTold = true;
      if (GIVES_UP.has(why.code)) this.#entries.delete(entry);
    }
    this.#done(entry);
  }

  #failed(entry: OldEntry, { retryAfterMs }: Failure): void {
    const { clock, random } = this.#deps;
    entry.notBeforeMonoMs = clock.monoMs() + backoffMs(++entry.failures, random, retryAfterMs);
  }

  #done(entry: OldEntry): void {
    entry.isBusy = false;
    if (!this.#stop.signal.aborted && this.#entries.has(entry)) this.#plan(entry);
  }

  #warn(warning: Failure): void {
    this.#deps.emit({ kind: 'agent-warning', warning });
  }

  /** Whether ending the value would end one that is in use: a cache on the way may give out one lease twice. */
  #isShared({ want, old: { life } }: OldEntry): boolean {
    if (life.kind !== 'lease') return false;
    for (const [, entry] of this.#deps.manager.entries()) {
      const held = entry === undefined || entry.state === 'absent' ? undefined : entry.value.life;
      if (held?.kind === 'lease' && held.leaseId.equals(life.leaseId)) return true;
    }
    for (const other of this.#entries) {
      const { version, life: otherLife } = other.old;
      const isSame = other.want !== want && otherLife.kind === 'lease' && otherLife.leaseId.equals(life.leaseId);
      if (isSame && this.#deps.uses(other.want.id, version)) return true;
    }
    return false;
  }

  /** Forgets the oldest values of a secret that nothing uses and nobody wants to be revoked. */
  #forgetIdle({ id }: Want): void {
    const idle = [...this.#entries].filter(
      ({ want, unusedSinceMonoMs }) =>
        want.id === id && unusedSinceMonoMs !== undefined && want.request.upkeep?.revokeOldAfterMs === undefined,
    );
    for (const entry of idle.slice(0, -MAX_IDLE)) {
      entry.cancel();
      this.#entries.delete(entry);
    }
  }

  #endsMonoMs({ old: { life }, backend }: OldEntry): number {
    const { clock } = this.#deps;
    const loginEndsMs = life.kind === 'lease' ? backend.loginEndsMonoMs?.(life.loginId) : undefined;
    const now = { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
    return endsMonoMs(life, loginEndsMs ?? Number.POSITIVE_INFINITY, now);
  }
}

function notRevoked({ want: { place }, old: { version, life } }: OldEntry, why: Failure): Failure {
  if (why.code === 'LEASE_NOT_REVOKED') return why;
  if (life.kind !== 'certificate') {
    return failure('LEASE_NOT_REVOKED', place, `the replaced lease could not be revoked: ${why.seen}`);
  }
  const seen = `the replaced certificate ${version} could not be revoked: ${why.seen}`;
  return failure('CERTIFICATE_NOT_REVOKED', place, seen);
}
