import type { Fetch, Fetched, LeaseLife, Life } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { equalValues } from '../base/value.ts';
import { absentEntry, freshEntry, heldValue, type Item, markEntry } from './item.ts';
import { outlivesReplacement, type Replaced } from './replaced.ts';
import { endStayed, stoppedExtending } from './schedule.ts';
import type { Snapshots } from './snapshots.ts';

/**
 * What has happened to a secret: it has its first value (`first`), it has another value or none any more (`changed`),
 * or an attempt or a change of state left its value as it was (`settled`).
 */
export type SecretEvent = 'first' | 'changed' | 'settled';

/** Why a value is expired: its lease, certificate or own end; the end of its login; its age. */
export type WhyExpired = 'validity' | 'login' | 'maxStale';

const EXPIRED_SEEN: Readonly<Record<WhyExpired, string>> = {
  validity: 'the value is past its validity',
  login: 'the login that the lease was made under has ended',
  maxStale: 'the value is older than maxStale',
};

/** Changes of a value that are not further apart may be published together. */
const TOGETHER_MS = 60_000;

export interface ItemWriterDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly snapshots: Snapshots;
  /** Whether the value that an item holds is past its validity, and when it ends. */
  readonly deadlines: { hasEnded(item: Item): boolean; endsMonoMs(item: Item): number };
  /** See `LeaseManagerOptions`. */
  readonly onReplaced?: ((replaced: Replaced) => void) | undefined;
}

/**
 * Writes the entry of an item (its value, life and state) and emits the facts about it. Nothing else writes `entry`.
 * The rest of `lease/` decides when. Each write makes a new frozen entry, so a snapshot that was taken before
 * does not change.
 */
export class ItemWriter {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #snapshots: Snapshots;
  readonly #deadlines: ItemWriterDeps['deadlines'];
  readonly #onReplaced: ItemWriterDeps['onReplaced'];

  constructor({ clock, emit, snapshots, deadlines, onReplaced }: ItemWriterDeps) {
    this.#clock = clock;
    this.#emit = emit;
    this.#snapshots = snapshots;
    this.#deadlines = deadlines;
    this.#onReplaced = onReplaced;
  }

  /** Asks the source and keeps the answer. @throws what `Source.fetch` throws. */
  async fetch(item: Item, signal: AbortSignal): Promise<SecretEvent> {
    const before = heldValue(item);
    const asked = await this.#ask(item, before, signal);
    const last = before ?? heldValue(item); // what an earlier process had may be served by now
    const answer = before === undefined && last !== undefined ? unchangedIfEqual(asked, last) : asked;
    if (answer.state === 'unchanged') {
      if (last === undefined) throw new TypeError('unchanged without a value');
      const { asOfMonoMs, version = last.version } = answer;
      const agoMs = asOfMonoMs === undefined ? 0 : Math.round(this.#clock.monoMs() - asOfMonoMs);
      this.#freshen(item, { ...last, version, life: answer.life }, false, this.#clock.wallMs() - agoMs);
      if (answer.life.kind === 'lease') item.sameLease++;
      this.#emit({ kind: 'secret-unchanged', secrets: [...item.names] });
      return 'settled';
    }
    if (last !== undefined) this.#noteReplaced(item, last);
    this.#freshen(item, answer.value, true);
    if (last !== undefined) this.#tellReplaced(item, last);
    item.sameLease = 0;
    this.#warn(answer.value, last);
    const lifeMs = lengthMs(answer.value.life, this.#clock.wallMs());
    this.#emit({
      kind: 'secret-changed',
      secrets: [...item.names],
      life: answer.value.life.kind,
      ...(lifeMs === undefined ? {} : { lifeMs }),
      first: last === undefined,
    });
    return last === undefined ? 'first' : 'changed';
  }

  /**
   * Keeps when the value ends that another is about to replace. A password that its backend rotated has ended with
   * that, and so has a lease whose renewals failed, as far as anybody knows. Two changes shortly after each other count
   * as one: what an application took up may be the older value.
   */
  #noteReplaced(item: Item, { life }: Fetched): void {
    const now = this.#clock.monoMs();
    const isDead = life.kind === 'rotates' || (life.kind === 'lease' && item.entry?.state !== 'fresh');
    const endsMonoMs = isDead ? now : this.#deadlines.endsMonoMs(item);
    const { atMonoMs = Number.NEGATIVE_INFINITY, endsMonoMs: earlierMs = endsMonoMs } = item.replaced ?? {};
    const isTogether = now - atMonoMs < TOGETHER_MS;
    item.replaced = { atMonoMs: now, endsMonoMs: isTogether ? Math.min(endsMonoMs, earlierMs) : endsMonoMs };
  }

  #tellReplaced({ want, backend, names }: Item, { version, life }: Fetched): void {
    if (outlivesReplacement(want, life)) this.#onReplaced?.({ want, backend, names, old: { version, life } });
  }

  async #ask({ backend: { source }, want }: Item, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> {
    const { certificateFrom } = want.request;
    if (certificateFrom === undefined) return await source.fetch(want, last, signal);
    const { fetchStoredCertificate } = await import('../backend/stored-certificate.ts');
    const stored = { ...want, request: { ...want.request, certificateFrom } };
    return await fetchStoredCertificate(source, stored, last, signal, this.#clock.wallMs());
  }

  /** Takes up a value that an earlier process had since `cameWallMs`, as far as that can be. */
  restore(item: Item, value: Fetched, cameWallMs: number): SecretEvent {
    const nowMs = this.#clock.wallMs();
    const sinceMs = timeInLife(cameWallMs, value.life, nowMs);
    this.#freshen(item, value, true, sinceMs);
    const lifeMs = lengthMs(value.life, nowMs);
    const life = {
      life: value.life.kind,
      ...(lifeMs === undefined ? {} : { lifeMs }),
      ageMs: Math.max(0, nowMs - sinceMs),
    };
    this.#emit({ kind: 'secret-kept', secrets: [...item.names], ...life });
    this.#warn(value, undefined);
    return 'first';
  }

  /** Tells of a warning once, and not with each value that has it again. */
  #warn({ warning }: Fetched, last: Fetched | undefined): void {
    if (warning !== undefined && warning.code !== last?.warning?.code) this.#emit({ kind: 'agent-warning', warning });
  }

  /**
   * Renews the lease and keeps its new life. True when the renewal extended the lease too little or not at all: a new
   * lease must be fetched while the old one is valid. @throws what `Source.renew` throws.
   */
  async renew(item: Item, life: LeaseLife, signal: AbortSignal): Promise<boolean> {
    const renewed = await item.backend.source.renew?.(item.want, life, signal);
    const value = heldValue(item);
    if (renewed === undefined || value === undefined) return true;
    // Only a new lease helps from now on. Not renewable, so that after a failed fetch the fetch is tried again.
    const isLast = stoppedExtending(life, renewed) || endStayed(life, renewed);
    this.#freshen(item, { ...value, life: isLast ? { ...renewed, renewable: false } : renewed }, false);
    this.#emit({ kind: 'secret-renewed', secrets: [...item.names], ttlMs: renewed.ttlMs });
    return isLast;
  }

  /** After a failure: the value stays and is stale, or expired if it was; without a value the secret is absent. */
  markTrouble(item: Item, why: Failure): void {
    const { entry } = item;
    if (entry === undefined || entry.state === 'absent') {
      const isSame = entry?.why.code === why.code;
      item.entry = absentEntry(why, item.want.optional, isSame ? entry.stateNumber : this.#snapshots.changed());
    } else if (entry.state === 'fresh') {
      this.#emitState(item, 'stale', why);
      item.entry = markEntry(entry, 'stale', why, this.#snapshots.changed());
    } else {
      const isSame = entry.why?.code === why.code;
      item.entry = markEntry(entry, entry.state, why, isSame ? entry.stateNumber : this.#snapshots.changed());
    }
  }

  /**
   * The backend answered that the secret does not exist, and it need not: the secret is absent. A value that it had
   * stays and is stale; with `absentWhenGone` the value is dropped. `again`: the attempt before had the same answer.
   */
  notThere(item: Item, why: Failure): { readonly event: SecretEvent; readonly again: boolean } {
    const { entry, want } = item;
    const again = entry !== undefined && entry.state !== 'fresh' && entry.why?.code === why.code;
    const isDropped = entry !== undefined && entry.state !== 'absent' && want.absentWhenGone === true;
    if (isDropped) item.entry = absentEntry(why, want.optional, this.#snapshots.changed());
    else this.markTrouble(item, why);
    return { event: isDropped ? 'changed' : 'settled', again };
  }

  /** The value stays and is expired; without a value nothing happens. */
  expire(item: Item, why: WhyExpired): void {
    const { entry, want } = item;
    if (entry === undefined || entry.state === 'absent') return;
    const reason = entry.why ?? failure('SECRET_EXPIRED', want.place, EXPIRED_SEEN[why]);
    item.entry = markEntry(entry, 'expired', reason, this.#snapshots.changed());
    this.#emitState(item, 'expired', reason);
  }

  /** Gives the value another life; the state and the numbers stay. */
  setLife(item: Item, life: Life): void {
    const { entry } = item;
    if (entry === undefined || entry.state === 'absent') return;
    const value: Fetched = Object.freeze({ ...entry.value, life });
    item.entry = Object.freeze({ ...entry, value });
  }

  /** Gives the entry new numbers, so that readers treat it as changed. */
  renumber(item: Item): void {
    const { entry } = item;
    if (entry === undefined) return;
    const number = this.#snapshots.changed();
    const stateNumber = entry.state === 'fresh' || entry.state === 'absent' ? number : this.#snapshots.changed();
    item.entry = Object.freeze(
      entry.state === 'absent' ? { ...entry, stateNumber } : { ...entry, valueNumber: number, stateNumber },
    );
  }

  /** @param isOther it is not the value that the item held before. */
  #freshen(item: Item, value: Fetched, isOther: boolean, fetchedWallMs = this.#clock.wallMs()): void {
    const { entry } = item;
    const before = entry?.state;
    const held = entry === undefined || entry.state === 'absent' ? undefined : entry;
    const since = isOther ? undefined : held;
    if (since?.state === 'expired') {
      item.entry = Object.freeze({ ...since, value: Object.freeze(value), fetchedWallMs });
      if (this.#deadlines.hasEnded(item)) return; // a value that has ended does not become fresh by being read once more
    }
    const stateNumber = since?.state === 'fresh' ? since.stateNumber : this.#snapshots.changed();
    const replaced = held && { version: held.value.version, fetchedWallMs: held.fetchedWallMs };
    const earlier = isOther ? replaced : since?.earlier;
    item.entry = freshEntry(value, fetchedWallMs, stateNumber, since, earlier);
    if (before !== 'stale' && before !== 'expired') return;
    this.#emit({ kind: 'secret-state', secrets: [...item.names], state: 'fresh' });
  }

  #emitState(item: Item, state: 'stale' | 'expired', why: Failure): void {
    const gone = why.code === 'SECRET_NOT_FOUND' || why.code === 'SECRET_DELETED' || why.code === 'SECRET_DESTROYED';
    this.#emit({ kind: 'secret-state', secrets: [...item.names], state, reason: gone ? 'deleted' : why.code });
  }
}

/** What a source would have answered if it had known `last`. */
function unchangedIfEqual(answer: Fetch, last: Fetched): Fetch {
  const isEqual = answer.state === 'changed' && equalValues(last.fields, answer.value.fields);
  return isEqual ? { state: 'unchanged', life: answer.value.life } : answer;
}

/**
 * When a value came that was kept. A time that cannot be true, before the certificate began or after now, could put its
 * replacement off for ever. Such a value counts as come when its certificate began.
 */
function timeInLife(cameWallMs: number, life: Life, nowMs: number): number {
  if (life.kind !== 'certificate') return Math.min(cameWallMs, nowMs);
  const beganMs = Math.min(life.notBeforeMs, nowMs);
  return cameWallMs >= beganMs && cameWallMs <= nowMs ? cameWallMs : beganMs;
}

/** How long a life is from now on, when its value has just come; undefined when no end is known. */
function lengthMs(life: Life, nowMs: number): number | undefined {
  if (life.kind === 'lease') return life.ttlMs;
  if (life.kind === 'rotates') return life.inMs;
  if (life.kind === 'ends') return Math.max(0, life.endMs - life.startMs);
  // Issuers date a certificate back.
  return life.kind === 'certificate' ? Math.max(0, life.notAfterMs - nowMs) : undefined;
}
