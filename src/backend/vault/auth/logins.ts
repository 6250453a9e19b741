import type { Clock } from '../../../base/clock.ts';
import type { Secret } from '../../../base/secret.ts';
import type { LiveLogin, Login } from './method.ts';
import { isExtended } from './renewal.ts';

/** Records the logins of one session: the newest, whether it is usable, and when each one ends. */
export class Logins {
  readonly #clock: Clock;
  readonly #onEarlyEnd: () => void;
  #newest: LiveLogin | undefined;
  /** Why the newest login is not usable although its life is not over: it is known dead, or all its uses are spent. */
  #gone: 'dead' | 'spent' | undefined;
  #usesLeft = Number.POSITIVE_INFINITY;
  /** Logins that were replaced and have not ended, by id. */
  readonly #replaced = new Map<number, LiveLogin>();
  /** By id, the ends of logins whose leases may be in use. A login that is not in the map has ended. */
  readonly #ends = new Map<number, number>();
  /** The sum of all clock jumps, by which a life is shortened when its login was asked for before a jump. */
  #jumpedMs = 0;

  /** @param onEarlyEnd is called when a login has ended before its time. */
  constructor(clock: Clock, onEarlyEnd: () => void) {
    this.#clock = clock;
    this.#onEarlyEnd = onEarlyEnd;
  }

  /** The newest login, usable or not; undefined before the first. */
  get newest(): LiveLogin | undefined {
    return this.#newest;
  }

  get gone(): 'dead' | 'spent' | undefined {
    return this.#gone;
  }

  get jumpedMs(): number {
    return this.#jumpedMs;
  }

  usable(): LiveLogin | undefined {
    const login = this.#newest;
    return login !== undefined && this.#gone === undefined && this.#clock.monoMs() < login.endsMonoMs
      ? login
      : undefined;
  }

  /** The logins that have not ended, as far as is known: the newest one last. */
  alive(): readonly LiveLogin[] {
    const newest = this.usable();
    const before = [...this.#replaced.values()].filter(({ id }) => this.endsMonoMs(id) > this.#clock.monoMs());
    return newest === undefined ? before : [...before, newest];
  }

  /** Whether a text is the newest login's token or accessor. */
  names(text: Secret): boolean {
    const { token, accessor } = this.#newest ?? {};
    return token?.equals(text) === true || accessor?.equals(text) === true;
  }

  endsMonoMs(id: number): number {
    return this.#ends.get(id) ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Makes a login the newest one.
   * @param jumpedMs is the value that `jumpedMs` had when the login was asked for.
   */
  adopt(made: Login, jumpedMs: number): LiveLogin {
    const login = liveLogin(shifted(made, this.#jumpedMs - jumpedMs), (this.#newest?.id ?? 0) + 1);
    const now = this.#clock.monoMs();
    if (this.#newest !== undefined && this.#gone === undefined) this.#replaced.set(this.#newest.id, this.#newest);
    for (const [id, endsMs] of this.#ends) if (endsMs <= now) this.#ends.delete(id);
    for (const id of this.#replaced.keys()) if (!this.#ends.has(id)) this.#replaced.delete(id);
    this.#newest = login;
    this.#gone = undefined;
    this.#usesLeft = login.usesLeft === 'unlimited' ? Number.POSITIVE_INFINITY : login.usesLeft;
    this.#ends.set(login.id, login.endsMonoMs);
    return login;
  }

  /** Takes over the life that a renewal gave, and returns whether it moved the end. Id, token and uses stay. */
  extend(login: LiveLogin, renewed: Pick<Login, 'ttlMs' | 'renewable' | 'startedMonoMs'>): boolean {
    const { ttlMs, renewable, startedMonoMs } = renewed;
    const next = liveLogin({ ...login, ttlMs, renewable, startedMonoMs }, login.id);
    this.#newest = next;
    this.#ends.set(next.id, next.endsMonoMs);
    return isExtended(login.endsMonoMs, next.endsMonoMs, login.endsMonoMs - login.startedMonoMs);
  }

  /** Records that login `id` is dead. Returns false when it was known dead already, or is not the newest. */
  markDead(id: number): boolean {
    if (this.#newest?.id !== id || this.#gone === 'dead') return false;
    this.#gone = 'dead';
    this.#ends.delete(id);
    this.#onEarlyEnd();
    return true;
  }

  /**
   * Counts one use of the newest login. Returns true for the last one, after which the server revokes the token and all
   * leases under it.
   */
  takeUse(): boolean {
    this.#usesLeft--;
    if (this.#usesLeft > 0) return false;
    this.#gone ??= 'spent';
    if (this.#newest !== undefined && this.#ends.delete(this.#newest.id)) this.#onEarlyEnd();
    return true;
  }

  /** Shortens the lives of all logins by `byMs`, which the machine slept. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs;
    for (const [id, endsMs] of this.#ends) this.#ends.set(id, endsMs - byMs);
    if (this.#newest !== undefined) this.#newest = liveLogin(shifted(this.#newest, byMs), this.#newest.id);
  }
}

/** The login as if its life had begun `byMs` earlier, since the monotonic clock did not count that time. */
function shifted(login: Login, byMs: number): Login {
  const { startedMonoMs, credentialEndsMonoMs: endsMs } = login;
  const credentialEndsMonoMs = endsMs === undefined ? undefined : endsMs - byMs;
  return { ...login, startedMonoMs: startedMonoMs - byMs, credentialEndsMonoMs };
}

function liveLogin(login: Login, id: number): LiveLogin {
  const { token, accessor, ttlMs, renewable, usesLeft, startedMonoMs, credentialEndsMonoMs } = login;
  const endsMonoMs = ttlMs === 'forever' ? Number.POSITIVE_INFINITY : startedMonoMs + ttlMs;
  const life = { ttlMs, renewable, usesLeft, startedMonoMs, credentialEndsMonoMs };
  return Object.freeze({ token, accessor, ...life, id, endsMonoMs });
}
