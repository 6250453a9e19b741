import type { Life, Want } from '../backend/backend.ts';
import type { KeptLogin } from '../backend/kept-login.ts';
import type { EarlierValue } from '../lease/earlier.ts';
import { type Clocks, type KeptSecret, type LoginOfBackend, onMonoClock, type StateContents } from './contents.ts';

/** A clock that is this far behind the moment at which the state was written was set back. */
const SET_BACK_MS = 5_000;

/**
 * What an earlier process knew, as far as this one may use it: values up to their own end and to `maxStale`, leases
 * only with the login that they end with, and logins up to their end.
 *
 * When the wall clock was set back since, nobody knows how much of a lease or a login is left: neither is used, and
 * values count as new.
 */
export class EarlierState {
  readonly #maxAgeMs: number;
  readonly #byId: Map<string, KeptSecret>;
  readonly #logins: LoginOfBackend[];
  /** Logins by backend of which it is not known yet whether they are used. */
  readonly #undecided: Map<string, LoginOfBackend>;
  /** By backend, the number that its login has in this process. */
  readonly #resumedIds = new Map<string, number>();
  readonly #loginIds: ReadonlyMap<string, number>;
  readonly #now: () => Clocks;
  readonly #isSetBack: boolean;

  constructor(contents: StateContents, maxAgeMs: number, now: () => Clocks) {
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
    this.#byId = new Map(contents.secrets.map((secret) => [secret.id, secret]));
    this.#isSetBack = now().wallMs < contents.savedWallMs - SET_BACK_MS;
    this.#logins = this.#isSetBack ? [] : [...contents.logins];
    this.#undecided = new Map(this.#logins.map((one) => [one.backend, one]));
    this.#loginIds = new Map(this.#logins.map(({ backend, login }) => [backend, login.loginId]));
  }

  /** What was known of a want; undefined when nothing was, or when that may not be used any more. */
  find({ id, backend, maxStaleMs = this.#maxAgeMs, refreshMs }: Want): EarlierValue | undefined {
    const kept = this.#byId.get(id);
    if (kept === undefined) return undefined;
    const { wallMs } = this.#now();
    const ageMs = wallMs - kept.fetchedWallMs;
    const { life } = kept.value;
    if (life.kind === 'none' && life.mints && ageMs >= refreshMs) return undefined;
    if (life.kind === 'lease' && life.loginId !== this.#loginIds.get(backend)) return undefined;
    if (life.kind !== 'lease' && ageMs > maxStaleMs) return undefined;
    if (endsWallMs(life) <= wallMs) return undefined;
    const fetchedWallMs = this.#isSetBack ? Math.min(wallMs, kept.fetchedWallMs) : kept.fetchedWallMs;
    return { value: { ...kept.value, life: onMonoClock(life, this.#now()) }, fetchedWallMs };
  }

  /** To be called when a backend uses the login, which has this number now, or has made one of its own. */
  decided(backend: string, resumedId?: number): void {
    this.#undecided.delete(backend);
    if (resumedId === undefined) this.#resumedIds.delete(backend);
    else this.#resumedIds.set(backend, resumedId);
  }

  /** The logins that may still be used, for the next file. */
  unusedLogins(): Iterable<LoginOfBackend> {
    return this.#undecided.values();
  }

  /** Values that may still be used, for the next file: a start that reads a part only must not lose the others. */
  *unused(isKnown: (id: string) => boolean): Iterable<KeptSecret> {
    const { wallMs } = this.#now();
    for (const kept of this.#byId.values()) {
      const { life } = kept.value;
      if (isKnown(kept.id) || endsWallMs(life) <= wallMs) continue;
      if (life.kind !== 'lease') {
        if (wallMs - kept.fetchedWallMs <= this.#maxAgeMs) yield kept;
      } else if (life.loginId === this.#loginIds.get(kept.backend)) {
        const loginId = this.#resumedIds.get(kept.backend) ?? life.loginId;
        yield { ...kept, value: { ...kept.value, life: { ...life, loginId } } };
      }
    }
  }

  /** Gives the login of a backend out once. */
  takeLogin(backend: string, identity: string): KeptLogin | undefined {
    const at = this.#logins.findIndex((one) => one.backend === backend && one.identity === identity);
    const [taken] = at < 0 ? [] : this.#logins.splice(at, 1);
    if (taken === undefined) return undefined;
    const { wallMs, monoMs } = this.#now();
    const { login } = taken;
    return { ...login, startedMonoMs: login.startedMonoMs - wallMs + monoMs };
  }
}

/** When a kept life ends, on the wall clock; infinite when nothing is known to end it. */
function endsWallMs(life: Life): number {
  switch (life.kind) {
    case 'lease':
      return life.startedMonoMs + life.ttlMs;
    case 'rotates':
      return life.startedMonoMs + life.inMs;
    case 'ends':
      return life.endMs;
    case 'certificate':
      return life.notAfterMs;
    case 'none':
      return Number.POSITIVE_INFINITY;
  }
}
