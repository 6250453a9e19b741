import type { Clock } from '../../../base/clock.ts';
import { failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { LiveLogin, Login } from './method.ts';
import { lookUpSelf } from './token-self.ts';

/**
 * How long the answer that a login is alive is remembered. A denied path that is polled leads to one lookup in this
 * time, and a login that is revoked right after a lookup is noticed this much later. The time is short: a client of the
 * proxy may poll a denied path all day, and must not hide from other clients that the login is dead.
 */
export const ALIVE_MEMORY_MS = 1_000;

/**
 * Tells a denied path from a dead login. OpenBao answers both with 403 `permission denied`; only the answer of
 * `auth/token/lookup-self` differs: 200 for a live token, 403 for a dead one.
 *
 * A token without the `default` policy may not call lookup-self either, and would look dead each time a path is denied.
 * So the first verdict "dead" of a session is checked with the login that replaces the dead one (`calibrate`). When
 * lookup-self refuses that new token too, it tells nothing: every later 403 counts as a denied path, unless the server
 * itself calls the token invalid (Vault does, OpenBao does not), and a dead login is noticed only at its renewal. A
 * warning says so.
 */
export class TokenLiveness {
  /** `unproven` until lookup-self accepted a live token; `denied` after it refused a token that had just been made. */
  #lookup: 'unproven' | 'answers' | 'denied' = 'unproven';
  #alive: { readonly id: number; readonly atMs: number } | undefined;
  readonly #flights = new SingleFlight<number, 'alive' | 'dead'>();
  readonly #client: VaultClient;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #place: string;

  constructor(deps: {
    readonly client: VaultClient;
    readonly clock: Clock;
    readonly emit: Emit;
    readonly place: string;
  }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#emit = deps.emit;
    this.#place = deps.place;
  }

  /**
   * Asks lookup-self about a login, once for all callers at a time. Without an answer (network, 5xx) the login counts
   * as `alive`.
   */
  async ask(login: LiveLogin, signal: AbortSignal, said?: 'invalid'): Promise<'alive' | 'dead'> {
    if (this.#lookup === 'denied') return said === 'invalid' ? 'dead' : 'alive';
    const known = this.#alive;
    if (known?.id === login.id && this.#clock.monoMs() - known.atMs < ALIVE_MEMORY_MS) return 'alive';
    return this.#flights.run(login.id, async () => {
      const refused = await this.#isRefused(login, signal);
      if (refused === true) return 'dead';
      if (refused === false) this.#lookup = 'answers';
      this.#alive = { id: login.id, atMs: this.#clock.monoMs() };
      return 'alive';
    });
  }

  /** To be called with the login that replaces one which `ask` called dead, before it is used. */
  async calibrate(fresh: Login, signal: AbortSignal): Promise<void> {
    if (this.#lookup !== 'unproven' || fresh.usesLeft !== 'unlimited') return;
    const refused = await this.#isRefused(fresh, signal);
    if (refused === undefined) return;
    this.#lookup = refused ? 'denied' : 'answers';
    if (!refused) return;
    const seen = 'the policy of this login does not allow auth/token/lookup-self';
    const hint = 'Allow it (the default policy does): without it, a revoked login is noticed only at its renewal.';
    this.#emit({ kind: 'agent-warning', warning: failure('AUTH_UNUSABLE', this.#place, seen, { hint }) });
  }

  /** Whether lookup-self refused the token; undefined when no answer came. */
  async #isRefused({ token }: Login, signal: AbortSignal): Promise<boolean | undefined> {
    try {
      await lookUpSelf({ client: this.#client, token, place: this.#place }, signal);
      return false;
    } catch (error) {
      return error instanceof VaultStatusError && error.status === 403 ? true : undefined;
    }
  }
}
